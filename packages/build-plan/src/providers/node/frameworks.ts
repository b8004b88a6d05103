import type { SourceTree } from "../../source-tree.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";
import type { Member } from "./workspace.ts";

export type Framework =
  | "next"
  | "nuxt"
  | "remix"
  | "react-router"
  | "tanstack-start"
  | "sveltekit"
  | "astro"
  | "angular"
  | "cra"
  | "expo"
  | "vite";

/** The first that fits is what a package is written with: those that build on Vite stand before Vite. */
const tests: readonly [Framework, (tree: SourceTree, member: Member) => boolean][] = [
  ["next", (_tree, { manifest }) => dependsOn(manifest, "next")],
  ["nuxt", (_tree, { manifest }) => dependsOn(manifest, "nuxt")],
  ["remix", (_tree, { manifest }) => dependsOn(manifest, "@remix-run/node")],
  ["tanstack-start", (_tree, { manifest }) => Object.hasOwn(manifest.dependencies, "@tanstack/react-start")],
  [
    "sveltekit",
    (_tree, { manifest }) => dependsOn(manifest, "svelte") && dependsOn(manifest, "@sveltejs/kit"),
  ],
  [
    "react-router",
    (tree, member) =>
      builds(member.manifest) &&
      (configFile(tree, member, "react-router.config") !== undefined ||
        builds(member.manifest, "react-router build") ||
        dependsOn(member.manifest, "@react-router/dev")),
  ],
  [
    "astro",
    (tree, member) =>
      builds(member.manifest, "astro build") && configFile(tree, member, "astro.config") !== undefined,
  ],
  [
    "angular",
    (tree, member) =>
      dependsOn(member.manifest, "@angular/core") &&
      builds(member.manifest, "ng build") &&
      tree.hasFile(inMember(member, "angular.json")),
  ],
  [
    "cra",
    (_tree, { manifest }) => dependsOn(manifest, "react-scripts") && builds(manifest, "react-scripts build"),
  ],
  ["expo", (_tree, { manifest }) => dependsOn(manifest, "expo") && builds(manifest, "expo export")],
  [
    "vite",
    (tree, member) =>
      dependsOn(member.manifest, "vite") &&
      builds(member.manifest) &&
      (builds(member.manifest, "vite build") || configFile(tree, member, "vite.config") !== undefined),
  ],
];

export const frameworkOf = (tree: SourceTree, member: Member): Framework | undefined =>
  tests.find(([, fits]) => fits(tree, member))?.[0];

/** Whether there is a build script, and one that runs the command if one is named. */
export const builds = (manifest: PackageJson, command = ""): boolean =>
  manifest.scripts["build"] !== undefined && manifest.scripts["build"].toLowerCase().includes(command);

export const inMember = ({ folder }: Member, file: string): string =>
  folder === "" ? file : `${folder}/${file}`;

const endings = ["js", "mjs", "cjs", "ts", "mts"];

const configFile = (tree: SourceTree, member: Member, name: string): string | undefined =>
  tree.firstFile(...endings.map((ending) => inMember(member, `${name}.${ending}`)));

/** The text of a framework's configuration, "" when there is none. It is looked at, never run. */
export function configText(tree: SourceTree, member: Member, name: string): string {
  const file = configFile(tree, member, name);
  return file === undefined ? "" : (tree.read(file) ?? "");
}

/** A string option in such a text: `outDir: "build"`. */
export const option = (text: string, name: string): string | undefined =>
  new RegExp(`\\b${name}['"]?\\s*:\\s*['"\`]([^'"\`$\\n]{1,200})['"\`]`).exec(text)?.[1];
