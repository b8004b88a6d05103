import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { files, type FileStep, type Tree, type Vertex } from "./llb.ts";
import type { PlanLayer } from "./plan.ts";

/** Where the app lives in every image. */
export const appDir = "/app";

/** What copying needs to know of the builder. */
export type CopyAbility = { readonly canExclude: boolean };

const hasWildcard = (path: string): boolean => /[*?[\\]/.test(path);

/**
 * BuildKit 0.8 fails on a path that is not there even when told not to. A pattern that can match only this name
 * may find nothing, so `node_modules` is asked for as `node_module[s]`.
 */
function optionalName(path: string): string {
  if (hasWildcard(path)) return path;
  return /[\p{L}\p{N}]$/u.test(path) ? path.replace(/(.)$/u, "[$1]") : path;
}

/** Folders every base has, and that need not be made before something is looked for in them. */
const knownFolders = new Set(["/", appDir, "/root", "/usr", "/usr/local", "/opt", "/etc", "/var"]);

/** Copies what a layer includes from another tree (a step's or an image's) to the same place. */
export function copyLayer(
  base: Tree,
  from: Vertex,
  layer: PlanLayer,
  ability: CopyAbility,
  name: string,
): Vertex {
  const paths = (layer.include ?? [appDir]).map((path) =>
    posix.join("/", path.startsWith("/") ? path : `${appDir}/${path}`),
  );
  const parents = paths
    .map((path) => posix.dirname(path))
    .filter((dir) => !knownFolders.has(dir) && !hasWildcard(dir));
  const source =
    parents.length === 0
      ? from
      : files(
          from,
          [...new Set(parents)].map((path) => ({ mkdir: { path } })),
          "[internal] make the folders to look in",
        );
  const copies = paths.flatMap((path) => {
    const dest = hasWildcard(path) ? `${posix.dirname(path)}/` : path;
    return copySteps({ from: source, src: optionalName(path), dest, optional: true }, layer.exclude, ability);
  });
  return files(base, copies, name);
}

/** Copies what a layer includes from the source folder to below the app's folder. */
export function copyLocal(
  base: Tree,
  source: Vertex,
  contextDir: string,
  layer: PlanLayer,
  ability: CopyAbility,
  name: string,
): Tree {
  const copies = (layer.include ?? ["."]).flatMap((path) =>
    copyFromContext(
      source,
      contextDir,
      path,
      hasWildcard(path) ? `${posix.dirname(path)}/` : path,
      layer.exclude,
      ability,
    ),
  );
  return copies.length === 0 ? base : files(base, copies, name);
}

/** One path of the source folder to a place below the app's folder; nothing when it is not there. */
export function copyFromContext(
  source: Vertex,
  contextDir: string,
  src: string,
  dest: string,
  exclude: readonly string[] | undefined,
  ability: CopyAbility,
): FileStep[] {
  const isThere = existsSync(join(contextDir, hasWildcard(src) ? posix.dirname(src) : src));
  if (!isThere) return [];
  const target = posix.resolve(appDir, dest);
  const intoFolder = dest.endsWith("/") && target !== "/" ? `${target}/` : target;
  const path = posix.join("/", src);
  return copySteps(
    { from: source, src: optionalName(path), dest: intoFolder, optional: true },
    exclude,
    ability,
  );
}

type Copy = { from: Vertex; src: string; dest: string; optional: boolean };

/** Old builders cannot leave something out while copying: there it goes over an empty tree, where it is removed. */
function copySteps(
  copy: Copy,
  exclude: readonly string[] | undefined,
  { canExclude }: CopyAbility,
): FileStep[] {
  if (!exclude?.length) return [{ copy }];
  if (canExclude) return [{ copy: { ...copy, exclude } }];
  const removed = exclude.filter((path) => !path.startsWith("!"));
  const removals = removed.map((path) => ({
    rm: { path: posix.join(copy.dest, path.replaceAll("**/", "")) },
  }));
  const staged = files(
    undefined,
    [{ mkdir: { path: posix.dirname(copy.dest) } }, { copy }, ...removals],
    `[internal] leave out ${removed.join(", ")}`,
  );
  return [{ copy: { ...copy, from: staged, src: copy.dest } }];
}
