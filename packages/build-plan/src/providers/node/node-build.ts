import type { Step } from "../../build-plan.ts";
import { exec, fromSource, shell } from "../../commands.ts";
import { addCache, addStep, decide, type PlanDraft } from "../../plan-draft.ts";
import { type Framework, frameworkOf } from "./frameworks.ts";
import type { NodeApp } from "./node-app.ts";
import { isStandaloneNext } from "./node-start.ts";
import { nxApp } from "./nx.ts";
import { runProgram, runScript } from "./package-manager.ts";
import { svelteAdapter } from "./sveltekit.ts";

/** Folders that frameworks fill to build faster the next time. */
const cacheFolders: Partial<Record<Framework, string>> = {
  next: ".next/cache",
  remix: ".cache",
  vite: "node_modules/.vite",
  "tanstack-start": "node_modules/.vite",
  astro: "node_modules/.astro",
  "react-router": ".react-router",
};

export function buildNode(draft: PlanDraft, app: NodeApp): Step {
  const build = addStep(
    draft,
    "build",
    "install",
    "because the code comes after its packages, which stay when only the code changes",
  );
  build.inputs.push(fromSource());
  build.secrets = ["*"];
  buildNodeIn(draft, app, build);
  return build;
}

/** Adds the build's commands and caches to a step that holds the source and its packages. */
export function buildNodeIn(draft: PlanDraft, app: NodeApp, build: Step): void {
  addCaches(draft, app, build);
  generatePrisma(draft, app, build);
  buildCommands(draft, app, build);
  if (isStandaloneNext(draft, app)) {
    decide(
      draft,
      "copy the static files to the standalone server",
      "because Next.js leaves that to whoever deploys it",
    );
    build.commands.push(
      shell(
        "cp -r .next/static .next/standalone/.next/static && if [ -d public ]; then cp -r public .next/standalone/public; fi",
        "add static files to the standalone server",
      ),
    );
  }
}

function buildCommands(draft: PlanDraft, { manifest, manager, workspace }: NodeApp, build: Step): void {
  const framework = frameworkOf(draft.tree, workspace.root);
  if (framework === "next") build.variables["NEXT_TELEMETRY_DISABLED"] = "1";
  if (framework === "sveltekit" && svelteAdapter(draft.tree, workspace.root) === "auto") {
    // The one variable by which adapter-auto chooses its Node server.
    build.variables["GCP_BUILDPACKS"] = "true";
  }
  if (manifest.scripts["build"]) {
    build.commands.push(exec(runScript(manager, "build")));
    decide(
      draft,
      `build with "${runScript(manager, "build")}"`,
      "because package.json has a build script",
      build.name,
    );
    return;
  }
  const nx = nxApp(draft, workspace);
  if (nx) {
    build.variables["NEXT_TELEMETRY_DISABLED"] = "1";
    build.commands.push(exec(runProgram(manager, `nx build ${nx.project}`)));
    decide(draft, `build the Nx project ${nx.project}`, "because it is the workspace's Next.js app");
  }
}

function addCaches(draft: PlanDraft, { workspace }: NodeApp, build: Step): void {
  const hasDependencies = workspace.all.some(
    ({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0,
  );
  if (hasDependencies) addCache(draft, build, "node-modules", "/app/node_modules/.cache");
  for (const member of workspace.all) {
    const framework = frameworkOf(draft.tree, member);
    const folder = framework && cacheFolders[framework];
    const name = member.folder === "" ? framework : `${framework}-${member.folder.replaceAll("/", "-")}`;
    if (name && folder)
      addCache(draft, build, name, ["/app", member.folder, folder].filter(Boolean).join("/"));
  }
}

/** Prisma's client is generated code; a build without it compiles against nothing. */
function generatePrisma(draft: PlanDraft, { workspace, manager }: NodeApp, build: Step): void {
  if (!workspace.dependsOn("prisma") && !workspace.dependsOn("@prisma/client")) return;
  const scripts = workspace.all.flatMap(({ manifest }) => Object.values(manifest.scripts));
  if (scripts.some((script) => script.includes("prisma generate"))) return;
  if (!draft.tree.hasFile("prisma/schema.prisma") && draft.tree.find("prisma/schema/*.prisma").length === 0)
    return;
  build.commands.push(exec(runProgram(manager, "prisma generate")));
  decide(
    draft,
    "generate the Prisma client before building",
    "because there is a Prisma schema and no script generates it",
  );
}
