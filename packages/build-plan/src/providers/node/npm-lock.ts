import { readLock } from "../../lock-files.ts";
import type { SourceTree } from "../../source-tree.ts";
import type { PackageJson } from "./package-json.ts";

/**
 * Whether npm's lock file holds what package.json asks for: `npm ci` stops where it does not. Undefined when there is no
 * lock file. Throws PlanRefusal when it is broken.
 */
export function isLockInSync(tree: SourceTree, manifest: PackageJson): boolean | undefined {
  const file = tree.firstFile("npm-shrinkwrap.json", "package-lock.json");
  if (file === undefined) return undefined;
  const text = readLock(tree, file);
  const root = text === undefined ? undefined : rootOf(text);
  if (root === undefined) return true;
  const kinds = ["dependencies", "devDependencies"] as const;
  return kinds.every((kind) => isSame(manifest[kind], root[kind] ?? {}));
}

type Locked = {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
};

/** The lock's own copy of package.json; lock files of version 1 have none. */
const rootOf = (text: string): Locked | undefined =>
  (JSON.parse(text) as { packages?: Record<string, Locked> }).packages?.[""];

function isSame(wanted: Readonly<Record<string, string>>, locked: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(wanted);
  return names.length === Object.keys(locked).length && names.every((name) => wanted[name] === locked[name]);
}
