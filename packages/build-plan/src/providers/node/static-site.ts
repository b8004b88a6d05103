import path from "node:path";
import { fromStep } from "../../commands.ts";
import type { Step } from "../../build-plan.ts";
import { table } from "../../loose-values.ts";
import { decide, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import {
  carryStaticServer,
  serveCommand,
  staticServerFolder,
} from "../../static-server/carry-static-server.ts";
import { toolPaths } from "../../tools-step.ts";
import { indexFallback } from "../staticfile/staticfile.ts";
import { angularOutput } from "./angular.ts";
import { astroOutput } from "./astro.ts";
import { configText, type Framework, frameworkOf, inMember, option } from "./frameworks.ts";
import type { NodeApp } from "./node-app.ts";
import { svelteAdapter } from "./sveltekit.ts";
import type { Member } from "./workspace.ts";

export interface StaticSite {
  readonly directory: string;
  readonly reason: string;
}

/** Start scripts that frameworks generate for development or for their own server; they do not ask for a server of one's own. */
const generatedStarts = [
  "ng serve",
  "react-scripts start",
  "expo start",
  "react-router-serve ./build/server/index.js",
  "next start",
  "vite",
  "vite preview",
  "astro dev",
  "astro preview",
  "astro start",
];

/**
 * The folder of finished files, when the app is one that only builds: its framework writes a site and nothing
 * in the source starts a server. Undefined for an app that runs.
 */
export function staticSite(draft: PlanDraft, { workspace }: NodeApp): StaticSite | undefined {
  const { tree, variables } = draft;
  if (variables.isOn("NO_SPA")) return undefined;
  const forced = variables.get("SPA_OUTPUT_DIR");
  if (forced) return checked({ directory: forced, reason: `RAILPACK_SPA_OUTPUT_DIR says ${forced}` });
  const start = draft.config.deploy?.startCommand ?? workspace.root.manifest.scripts["start"];
  if (start !== undefined && !generatedStarts.includes(start.trim())) return undefined;
  const framework = frameworkOf(tree, workspace.root);
  const directory = framework && outputs[framework]?.(draft, workspace.root);
  return directory ? checked({ directory, reason: `${framework} writes a static site there` }) : undefined;
}

function checked(site: StaticSite): StaticSite {
  const directory = path.posix.normalize(site.directory.replace(/^\/app\//, "")).replace(/\/$/, "");
  if (!directory.startsWith("/") && !directory.startsWith("..")) return { ...site, directory };
  throw new PlanRefusal(`the build's output folder ${site.directory} is outside of the source`, {
    hint: "Let the build write inside the source, or set RAILPACK_SPA_OUTPUT_DIR to where it does.",
  });
}

/** Where each framework writes its site; undefined when it is set up to run a server. */
const outputs: Partial<Record<Framework, (draft: PlanDraft, root: Member) => string | undefined>> = {
  vite({ tree }, root) {
    const text = configText(tree, root, "vite.config");
    const directory =
      option(text, "outDir") ??
      /--outDir[ =]([^\s;&]+)/.exec(root.manifest.scripts["build"] ?? "")?.[1] ??
      "dist";
    // It is relative to Vite's root, which is another folder mostly where the output leaves it.
    return directory.startsWith("../") ? path.posix.join(option(text, "root") ?? ".", directory) : directory;
  },
  "react-router"({ tree }, root) {
    const text = configText(tree, root, "react-router.config");
    if (!/(?:^|[{,\s])['"]?ssr['"]?\s*:\s*false\b/.test(text)) return undefined;
    return `${option(text, "buildDirectory") ?? "build"}/client`;
  },
  astro({ tree }, root) {
    const { isSite, folder } = astroOutput(tree, root);
    return isSite ? folder : undefined;
  },
  next({ tree }, root) {
    const text = configText(tree, root, "next.config");
    return option(text, "output") === "export" ? (option(text, "distDir") ?? "out") : undefined;
  },
  sveltekit: ({ tree }, root) =>
    svelteAdapter(tree, root) === "static"
      ? (option(configText(tree, root, "svelte.config"), "pages") ?? "build")
      : undefined,
  nuxt: (_draft, root) =>
    /\bnux[ti] generate\b/.test(root.manifest.scripts["build"] ?? "") ? ".output/public" : undefined,
  cra: () => "build",
  expo: ({ tree }, root) =>
    table(table(table(tree.readJson(inMember(root, "app.json")))["expo"])["web"])["output"] === "server"
      ? undefined
      : "dist",
  angular(draft, root) {
    const output = angularOutput(draft, root);
    return output === undefined || output.server !== undefined || output.lacksServer
      ? undefined
      : output.site;
  },
};

/** The image of a static site: Node, the server, and the finished files; nothing of what built them. */
export function deployStaticSite(draft: PlanDraft, build: Step, site: StaticSite): void {
  const isSpa = indexFallback(draft) ?? true;
  decide(
    draft,
    `serve ${site.directory} as static files`,
    `because ${site.reason} and nothing starts a server`,
  );
  carryStaticServer(build);
  startWith(
    draft,
    serveCommand(site.directory, { spa: isSpa }),
    `because ${site.directory} holds finished files, which the planner's server serves`,
  );
  draft.deploy.inputs.push(
    fromStep(toolsStep, toolPaths),
    fromStep(build.name, [site.directory, staticServerFolder]),
  );
}
