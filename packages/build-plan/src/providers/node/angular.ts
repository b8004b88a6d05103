import path from "node:path";
import { table, text } from "../../loose-values.ts";
import type { PlanDraft } from "../../plan-draft.ts";
import { inMember } from "./frameworks.ts";
import type { Member } from "./workspace.ts";

/** Where the build of an Angular app writes its site, and its server if it has one. */
export interface AngularOutput {
  readonly site: string;
  readonly server: string | undefined;
}

/** Reads it from angular.json; undefined where that names no build. What has another type than it should counts as absent. */
export function angularOutput({ tree, variables }: PlanDraft, root: Member): AngularOutput | undefined {
  const projects = table(table(tree.readJson(inMember(root, "angular.json")))["projects"]);
  const name = variables.get("ANGULAR_PROJECT") ?? Object.keys(projects)[0];
  const architect = name === undefined ? undefined : table(projects[name])["architect"];
  if (table(architect)["build"] === undefined) return undefined;
  const build = table(table(architect)["build"]);
  const options = table(build["options"]);
  const folders = table(options["outputPath"]);
  const base = text(options["outputPath"]) ?? text(folders["base"]) ?? `dist/${name}`;
  const isApplication =
    text(build["builder"])?.endsWith(":application") === true || options["browser"] !== undefined;
  if (!isApplication) return { site: base, server: undefined };
  const folder = (kind: string) =>
    path.posix.join(base, typeof folders[kind] === "string" ? folders[kind] : kind);
  const rendersItself =
    text(table(options["ssr"])["entry"]) !== undefined && options["outputMode"] !== "static";
  return {
    site: folder("browser"),
    server: rendersItself ? path.posix.join(folder("server"), "server.mjs") : undefined,
  };
}
