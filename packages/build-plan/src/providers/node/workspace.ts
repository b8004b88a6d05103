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
  const members = memberFolders(tree, patterns).map((folder) => ({
    folder,
    manifest: readPackageJson(tree, manifestPath(tree, folder)!),
  }));
  const all = [root, ...members];
  return {
    root,
    members,
    all,
    dependsOn: (name) => all.some((member) => dependsOn(member.manifest, name)),
    runsOn: (name) => all.some((member) => Object.hasOwn(member.manifest.dependencies, name)),
  };
}

function pnpmPatterns(tree: SourceTree): string[] | undefined {
  const file = tree.readYaml("pnpm-workspace.yaml") as { packages?: unknown } | null | undefined;
  return Array.isArray(file?.packages) ? file.packages.filter((one) => typeof one === "string") : undefined;
}

function memberFolders(tree: SourceTree, patterns: readonly string[]): string[] {
  const clean = patterns.slice(0, 200).map((pattern) => pattern.replace(/^\.\//, "").replace(/\/$/, ""));
  const found = new Set<string>();
  for (const pattern of clean.filter((one) => !one.startsWith("!"))) {
    for (const folder of folders(tree, pattern)) found.add(folder);
  }
  for (const pattern of clean.filter((one) => one.startsWith("!"))) {
    for (const folder of folders(tree, pattern.slice(1).replace(/^\//, ""))) found.delete(folder);
  }
  found.delete("");
  return [...found].toSorted();
}

const folders = (tree: SourceTree, pattern: string): string[] =>
  [...tree.find(`${pattern}/package.json`), ...tree.find(`${pattern}/package.json5`)].map((file) =>
    file.split("/").slice(0, -1).join("/"),
  );
