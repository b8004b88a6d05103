import { matchesGlob } from "../../matches-glob.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";
import { dependsOn, manifestPath, type PackageJson, readPackageJson } from "./package-json.ts";

export interface Member {
  /** "" is the root. */
  readonly folder: string;
  readonly manifest: PackageJson;
}

/** The root's package and, in a workspace, those of its members in order of their folders. */
export interface Workspace {
  readonly root: Member;
  readonly members: readonly Member[];
  readonly all: readonly Member[];
  dependsOn(name: string): boolean;
  /** Whether it is needed at run time, not only to build. */
  runsOn(name: string): boolean;
}

export function readWorkspace(tree: SourceTree): Workspace {
  const file = manifestPath(tree);
  if (!file)
    throw new PlanRefusal("there is no package.json", {
      hint: "Add a package.json.",
      lookedFor: ["package.json"],
    });
  const manifest = readPackageJson(tree, file);
  const root = { folder: "", manifest };
  const patterns = pnpmPatterns(tree) ?? manifest.workspaces;
  const folders = memberFolders(tree, patterns);
  const members = first(tree, folders, { max: membersMax, what: "members of the workspace" }).map(
    (folder) => ({
      folder,
      manifest: readPackageJson(tree, manifestPath(tree, folder)!),
    }),
  );
  const all = [root, ...members];
  return {
    root,
    members,
    all,
    dependsOn: (name) => all.some((member) => dependsOn(member.manifest, name)),
    runsOn: (name) => all.some((member) => Object.hasOwn(member.manifest.dependencies, name)),
  };
}

/** Beyond these the planner looks at no further members of a workspace; their manager installs them all the same. */
const membersMax = 1_000;
const patternsMax = 64;

/** As many as there may be; that there are more is noted. */
function first<T>(
  tree: SourceTree,
  all: readonly T[],
  { max, what }: { max: number; what: string },
): readonly T[] {
  if (all.length > max)
    tree.note(
      `only the first ${max.toLocaleString("en")} of ${all.length.toLocaleString("en")} ${what} were looked at`,
    );
  return all.slice(0, max);
}

function pnpmPatterns(tree: SourceTree): string[] | undefined {
  const file = tree.readYaml("pnpm-workspace.yaml") as { packages?: unknown } | null | undefined;
  return Array.isArray(file?.packages) ? file.packages.filter((one) => typeof one === "string") : undefined;
}

function memberFolders(tree: SourceTree, patterns: readonly string[]): string[] {
  if (patterns.length === 0) return [];
  const found = tree.find("**/{package.json,package.json5}");
  const manifests = first(tree, found, { max: 2 * membersMax, what: "files package.json" }).map(folderOf);
  const folders = (pattern: string) => manifests.filter(matchesGlob(pattern));
  const clean = first(tree, patterns, { max: patternsMax, what: "patterns of the workspace" }).map(
    (pattern) => pattern.replace(/^\.\//, "").replace(/\/$/, ""),
  );
  const members = new Set<string>();
  for (const pattern of clean.filter((one) => !one.startsWith("!"))) {
    for (const folder of folders(pattern)) members.add(folder);
  }
  for (const pattern of clean.filter((one) => one.startsWith("!"))) {
    for (const folder of folders(pattern.slice(1).replace(/^\//, ""))) members.delete(folder);
  }
  members.delete("");
  return [...members].toSorted();
}

const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf("/")));
