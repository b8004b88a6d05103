import { word } from "../../commands.ts";
import { type PlanDraft, startWith } from "../../plan-draft.ts";
import { angularHint, angularOutput } from "./angular.ts";
import { astroHint, astroOutput, astroServer } from "./astro.ts";
import { configText, type Framework, frameworkOf, option } from "./frameworks.ts";
import type { NodeApp } from "./node-app.ts";
import { nxApp } from "./nx.ts";
import { runFile, runProgram, runScript } from "./package-manager.ts";
import { svelteHint, svelteServer } from "./sveltekit.ts";

interface Start {
  readonly command: string;
  readonly reason: string;
}

/** How a Node app starts, with the reason; undefined when nothing in the source says. */
export function startNode(draft: PlanDraft, app: NodeApp): void {
  const start = isStandaloneNext(draft, app)
    ? standaloneStart
    : (angularServerStart(draft, app) ?? startOf(draft, app));
  if (!start) return;
  startWith(draft, start.command, `because ${start.reason}`);
}

function startOf(draft: PlanDraft, app: NodeApp): Start | undefined {
  const { manifest, manager } = app;
  const { tree } = draft;
  if (manifest.scripts["start"] && !isDevelopmentServer(draft, app))
    return { command: runScript(manager, "start"), reason: "package.json has a start script" };
  if (manifest.main && isThere(draft, manifest.main))
    return {
      command: runFile(manager, word(manifest.main)),
      reason: `package.json main says ${manifest.main}`,
    };
  const index = tree.firstFile("index.js", "index.ts", "index.mjs");
  if (index) return { command: runFile(manager, index), reason: `there is an ${index}` };
  const nx = nxStart(draft, app);
  if (nx) return nx;
  const generated = generatedStart(draft, app);
  if (generated) return generated;
  const other = tree.firstFile(
    "server.js",
    "server.mjs",
    "server.ts",
    "app.js",
    "app.mjs",
    "main.js",
    "main.mjs",
    // Where something is built, what lies here is what it is built from.
    ...(manifest.scripts["build"] ? [] : ["src/index.js", "src/server.js"]),
  );
  return other === undefined
    ? undefined
    : { command: runFile(manager, other), reason: `there is a ${other}` };
}

/** Start scripts by which frameworks watch the source on this machine alone, however it is built. */
const developmentServers: Partial<Record<Framework, readonly string[]>> = {
  angular: ["ng serve"],
  astro: ["astro dev", "astro start"],
  sveltekit: ["vite", "vite dev"],
};

/** A site that is served as it was built is none of these; Angular's is one where its build writes nothing that starts. */
function isDevelopmentServer(draft: PlanDraft, { workspace, manifest }: NodeApp): boolean {
  const framework = frameworkOf(draft.tree, workspace.root);
  if (framework === undefined || draft.variables.isOn("NO_SPA")) return false;
  if (framework === "angular" && !angularOutput(draft, workspace.root)?.lacksServer) return false;
  return developmentServers[framework]?.includes(manifest.scripts["start"]?.trim() ?? "") ?? false;
}

/** What to add for the framework of a Node app that nothing starts. */
export function nodeStartHint(draft: PlanDraft, { workspace: { root } }: NodeApp): string | undefined {
  const framework = frameworkOf(draft.tree, root);
  if (framework === "astro") return astroHint(astroOutput(draft.tree, root));
  if (framework === "sveltekit") return svelteHint(draft.tree, root);
  return framework === "angular" && angularOutput(draft, root)?.lacksServer ? angularHint : undefined;
}

/** A main that a build still has to write counts: only a file that is plainly missing without any build does not. */
const isThere = ({ tree }: PlanDraft, file: string): boolean =>
  tree.hasFile(file.replace(/^\.\//, "")) ||
  tree.firstFile("tsconfig.json") !== undefined ||
  /^(\.\/)?(dist|build|lib|out)\//.test(file);

function generatedStart(draft: PlanDraft, { workspace, manager }: NodeApp): Start | undefined {
  const framework = frameworkOf(draft.tree, workspace.root);
  const because = (command: string): Start => ({
    command,
    reason: `that is how an app of ${framework} runs`,
  });
  if (framework === "next") return because(runProgram(manager, "next start"));
  if (framework === "nuxt") return because("node .output/server/index.mjs");
  if (framework === "sveltekit") {
    const server = svelteServer(draft.tree, workspace.root);
    if (server) return because(`node ${word(server)}`);
  }
  if (framework === "tanstack-start")
    return because(runProgram(manager, "srvx --prod -s ../client dist/server/server.js"));
  if (framework === "remix") return because(runProgram(manager, "remix-serve ./build/server/index.js"));
  if (framework === "react-router")
    return because(runProgram(manager, "react-router-serve ./build/server/index.js"));
  const server = framework === "astro" ? astroServer(astroOutput(draft.tree, workspace.root)) : undefined;
  if (server) return because(`node ${word(server)}`);
  return undefined;
}

function nxStart(draft: PlanDraft, { workspace }: NodeApp): Start | undefined {
  const nx = nxApp(draft, workspace);
  if (!nx) return undefined;
  const command = nx.member.folder === "" ? "next start" : `cd ${word(nx.member.folder)} && next start`;
  return { command, reason: `${nx.project} is the workspace's Next.js app` };
}

/** The server that Angular's build writes, unless a start script says something else than its development server. */
function angularServerStart(draft: PlanDraft, { workspace, manifest }: NodeApp): Start | undefined {
  if (frameworkOf(draft.tree, workspace.root) !== "angular") return undefined;
  if (![undefined, "ng serve"].includes(manifest.scripts["start"]?.trim())) return undefined;
  const server = angularOutput(draft, workspace.root)?.server;
  return server === undefined
    ? undefined
    : { command: `node ${word(server)}`, reason: "angular.json names a server that renders the pages" };
}

const standaloneStart: Start = {
  command: "node .next/standalone/server.js",
  reason: 'next.config says output: "standalone"',
};

/** Next.js that writes a server of its own, unless a start script says something else than `next start`. */
export function isStandaloneNext({ tree }: PlanDraft, { workspace, manifest }: NodeApp): boolean {
  const start = manifest.scripts["start"]?.trim();
  return (
    frameworkOf(tree, workspace.root) === "next" &&
    option(configText(tree, workspace.root, "next.config"), "output") === "standalone" &&
    (start === undefined || start === "next start")
  );
}
