import type { Step } from "../../build-plan.ts";
import { addStep, decide, type PlanDraft } from "../../plan-draft.ts";
import { fromSource, fromStep } from "../../commands.ts";
import { toolPaths } from "../../tools-step.ts";
import { type NodeApp, readNodeApp } from "./node-app.ts";
import { buildNodeIn } from "./node-build.ts";
import { installNode } from "./node-install.ts";
import { pruneNode } from "./node-prune.ts";
import { chooseNodeTools } from "./node-tools.ts";
import { manifestPath } from "./package-json.ts";

/**
 * Node beside another language, for its assets: installs packages, builds them in a step of their own on top of `from`,
 * and answers that step and one with only the packages needed at run time. Undefined where there is no package.json.
 */
export function buildNodeBeside(
  draft: PlanDraft,
  from: string,
  buildName: string,
): { build: Step; prune: Step } | undefined {
  const app = nodeBeside(draft);
  if (!app) return undefined;
  installNode(draft, app, "install:node");
  const prune = pruneNode(draft, app, ["prune:node", "install:node"]);
  const build = addStep(draft, buildName, from, "because package.json's assets are built beside the rest");
  build.inputs.push(fromStep("install:node", [".", ...toolPaths]), fromSource());
  build.secrets = ["*"];
  buildNodeIn(draft, app, build);
  return { build, prune };
}

/** Reads the package.json beside another language's manifest and chooses the versions of its tools. */
export function nodeBeside(draft: PlanDraft): NodeApp | undefined {
  if (!manifestPath(draft.tree)) return undefined;
  const app = readNodeApp(draft);
  decide(draft, "build assets with Node", "because there is a package.json too");
  chooseNodeTools(draft, app);
  draft.exclude.push("**/node_modules");
  return app;
}
