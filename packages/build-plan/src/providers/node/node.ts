import { exec, fromStep } from "../../commands.ts";
import type { Layer, Step } from "../../build-plan.ts";
import { decide, type PlanDraft, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { toolPaths } from "../../tools-step.ts";
import { frameworkOf } from "./frameworks.ts";
import { type NodeApp, readNodeApp } from "./node-app.ts";
import { buildNode } from "./node-build.ts";
import { corepackHome, installNode, nodeEnvironment, usesPnp } from "./node-install.ts";
import { pruneNode } from "./node-prune.ts";
import { isStandaloneNext, nodeStartHint, startNode } from "./node-start.ts";
import { addNodeSystemPackages } from "./node-system.ts";
import { chooseNodeTools } from "./node-tools.ts";
import { manifestPath } from "./package-json.ts";
import { runProgram } from "./package-manager.ts";
import { deployStaticSite, staticSite } from "./static-site.ts";

export const node: Provider = {
  name: "node",
  label: "Node",
  looksFor: ["package.json"],
  manifests: ["package.json"],
  detects: ({ tree }) => manifestPath(tree) !== undefined,
  startHint: (draft) =>
    nodeStartHint(draft, readNodeApp(draft)) ??
    'Add a start script to package.json: {"scripts": {"start": "node index.js"}}.',

  plan(draft) {
    const app = readNodeApp(draft);
    const framework = frameworkOf(draft.tree, app.workspace.root);
    if (framework)
      decide(draft, `this is an app of ${framework}`, "because its dependencies and configuration say so");
    if (app.workspace.members.length > 0)
      decide(
        draft,
        `a workspace of ${app.workspace.members.length} packages`,
        "because the root manifest lists them",
      );
    chooseNodeTools(draft, app);
    draft.exclude.push("**/node_modules");
    const install = installNode(draft, app);
    if (draft.variables.isOn("NODE_PLAYWRIGHT_INSTALL")) installPlaywright(draft, app, install);
    const build = buildNode(draft, app);
    Object.assign(draft.deploy.variables, nodeEnvironment(draft, app));
    const site = staticSite(draft, app);
    if (site) return deployStaticSite(draft, build, site);
    addNodeSystemPackages(draft, app);
    startNode(draft, app);
    deployNode(draft, app);
  },
};

function installPlaywright(draft: PlanDraft, { manager }: NodeApp, install: Step): void {
  install.commands.push(exec(runProgram(manager, "playwright install --only-shell")));
  decide(draft, "install Playwright's browser", "because RAILPACK_NODE_PLAYWRIGHT_INSTALL is set");
}

/** The image of an app that runs: Node, its packages as a layer of their own, then the code. */
function deployNode(draft: PlanDraft, app: NodeApp): void {
  const { deploy, variables } = draft;
  const prunes = variables.isOn("PRUNE_DEPS");
  if (frameworkOf(draft.tree, app.workspace.root) === "astro") deploy.variables["HOST"] = "0.0.0.0";
  deploy.inputs.push(fromStep(toolsStep, toolPaths));
  if (isStandaloneNext(draft, app)) {
    deploy.variables["HOSTNAME"] = "0.0.0.0";
    deploy.inputs.push(fromStep("build", [".next/standalone"]));
    decide(
      draft,
      "take the standalone server alone into the image",
      "because next.config says output: standalone",
    );
    return;
  }
  deploy.paths.push("/app/node_modules/.bin");
  deploy.inputs.push(...(prunes ? prunedLayers(draft, app) : plainLayers(draft, app)));
}

function prunedLayers(draft: PlanDraft, app: NodeApp): Layer[] {
  pruneNode(draft, app);
  decide(draft, "leave development packages out of the image", "because RAILPACK_PRUNE_DEPS is set");
  return [
    fromStep("prune", installFolders(draft, app)),
    fromStep("build", ["."], ["node_modules", ".yarn"]),
    ...extra(app),
  ];
}

function plainLayers(draft: PlanDraft, app: NodeApp): Layer[] {
  const hasPackages = app.workspace.all.some(
    ({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0,
  );
  // Without packages nothing is installed, and a layer of a folder that is not there cannot be made.
  if (!hasPackages) return [fromStep("build", ["."]), ...extra(app)];
  return [
    fromStep("build", installFolders(draft, app)),
    fromStep("build", ["."], ["node_modules", ".yarn"]),
    ...extra(app),
  ];
}

const installFolders = ({ tree }: PlanDraft, { manager }: NodeApp): string[] =>
  manager.name === "yarnberry" && usesPnp(tree) ? ["/app/.yarn"] : ["/app/node_modules"];

/** What lies outside of the app's folder and the app still needs. */
function extra({ manager, workspace }: NodeApp): Layer[] {
  const folders: string[] = [];
  if (manager.isCorepack) folders.push(corepackHome, "/mise/installs", "/mise/shims");
  if (workspace.runsOn("puppeteer") || workspace.runsOn("playwright")) folders.push("/root/.cache");
  return folders.length > 0 ? [fromStep("build", folders)] : [];
}
