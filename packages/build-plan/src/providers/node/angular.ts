import path from "node:path";
import { table, text } from "../../loose-values.ts";
import type { PlanDraft } from "../../plan-draft.ts";
import { inMember } from "./frameworks.ts";
import type { Member } from "./workspace.ts";

/** Where the build of an Angular app writes its site, and its server if it has one. */
export interface AngularOutput {
  readonly site: string;
  readonly server: string | undefined;
  /** Whether the pages are for a server that the build does not write. */
  readonly lacksServer: boolean;
}

/** Reads it from angular.json; undefined where that names no build. What has another type than it should counts as absent. */
export function angularOutput({ tree, variables }: PlanDraft, root: Member): AngularOutput | undefined {
  const projects = table(table(tree.readJson(inMember(root, "angular.json")))["projects"]);
  const name = variables.get("ANGULAR_PROJECT") ?? Object.keys(projects)[0];
  const project = table(name === undefined ? undefined : projects[name]);
  const targets = table(project["architect"] ?? project["targets"]);
  if (targets["build"] === undefined) return undefined;
  const build = table(targets["build"]);
  const options = table(build["options"]);
  const folders = table(options["outputPath"]);
  const base = text(options["outputPath"]) ?? text(folders["base"]) ?? `dist/${name}`;
  const isApplication =
    text(build["builder"])?.endsWith(":application") === true || options["browser"] !== undefined;
  if (!isApplication) return { site: base, server: undefined, lacksServer: false };
  const folder = (kind: string) =>
    path.posix.join(base, typeof folders[kind] === "string" ? folders[kind] : kind);
  const { ssr, prerender, outputMode: mode } = options;
  const hasEntry = text(table(ssr)["entry"]) !== undefined;
  // Its build writes index.csr.html and no index.html, unless it renders the pages itself.
  const asksForServer = mode === "server" || (mode === undefined && isOn(ssr) && !isOn(prerender));
  return {
    site: folder("browser"),
    server: hasEntry && mode !== "static" ? path.posix.join(folder("server"), "server.mjs") : undefined,
    lacksServer: !hasEntry && asksForServer,
  };
}

/** `true`, or an object of options. */
const isOn = (value: unknown): boolean =>
  value === true || (typeof value === "object" && value !== null && !Array.isArray(value));

export const angularHint =
  'angular.json turns on ssr and names no server: name it ("ssr": {"entry": "src/server.ts"}, as `ng add @angular/ssr` does), or set "outputMode": "static" to publish a static site.';
