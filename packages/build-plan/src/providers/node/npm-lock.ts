import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";
import type { PackageJson } from "./package-json.ts";

/** A larger lock file is left to npm, which reads it anyway. */
const bytesMax = 8 * 1024 * 1024;

/**
 * Whether npm's lock file holds what package.json asks for: `npm ci` stops where it does not. Undefined when there is no
 * lock file. Throws PlanRefusal when it is broken, which npm would say less plainly and later.
 */
export function isLockInSync(tree: SourceTree, manifest: PackageJson): boolean | undefined {
  const file = tree.firstFile("npm-shrinkwrap.json", "package-lock.json");
  if (file === undefined) return undefined;
  const text = tree.readStart(file, bytesMax)!;
  if (Buffer.byteLength(text) >= bytesMax) return true;
  const root = rootOf(file, text);
  if (root === undefined) return true;
  const kinds = ["dependencies", "devDependencies"] as const;
  return kinds.every((kind) => isSame(manifest[kind], root[kind] ?? {}));
}

type Locked = {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
};

/** The lock's own copy of package.json; lock files of version 1 have none. */
function rootOf(file: string, text: string): Locked | undefined {
  try {
    return (JSON.parse(text) as { packages?: Record<string, Locked> } | null)?.packages?.[""];
  } catch (cause) {
    const isConflict = /^(?:<{7}|={7}|>{7})/m.test(text);
    const why = isConflict ? "it holds an unresolved merge conflict" : (cause as Error).message;
    throw new PlanRefusal(`${file} is broken: ${why}`, {
      hint: `Delete ${file}, run npm install, commit the new one, and deploy again.`,
    });
  }
}

function isSame(wanted: Readonly<Record<string, string>>, locked: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(wanted);
  return names.length === Object.keys(locked).length && names.every((name) => wanted[name] === locked[name]);
}
