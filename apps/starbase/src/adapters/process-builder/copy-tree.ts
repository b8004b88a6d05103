import { lstat, mkdir, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { stop } from "./build-stopped.ts";
import { pathFilter, type PathFilter } from "./path-filter.ts";
import { runProgram } from "./program.ts";

export type CopyOptions = {
  readonly exclude?: readonly string[];
  /** Hard links instead of copies: only for a tree that nobody writes to any more. */
  readonly link?: boolean;
  /** Ends a long copy half way. */
  readonly signal?: AbortSignal;
};

/** A file or folder below a root that no link may lead out of. */
export type Place = { readonly root: string; readonly path: string };

/**
 * Copies a file, or the content of a folder, over what is there. Never follows a link on either side out of its root:
 * the trees hold what customers put there, and this runs as the platform.
 */
export async function copyTree(source: Place, target: Place, options: CopyOptions = {}): Promise<void> {
  const { exclude = [] } = options;
  const from = await inside(source.root, source.path);
  const stats = await lstat(from).catch(() => undefined);
  if (!stats)
    return stop(`"${source.path}" is to be copied into the image, and there is no such file or folder`);
  const to = await inside(target.root, target.path, { make: true });
  if (stats.isDirectory())
    return copyFolder(
      from,
      to,
      await partOf({ dir: from, below: "" }, pathFilter(exclude), options),
      options,
    );
  const isInto = target.path.endsWith("/") || (await isDirectory(to));
  return copyEntries([from], isInto ? to : path.dirname(to), options, isInto ? undefined : path.basename(to));
}

/** What of a folder is wanted: all, nothing, or something of its entries. */
type Part = "all" | "none" | ReadonlyMap<string, Part>;

const namesPerTurn = 16;

async function partOf(
  { dir, below }: { readonly dir: string; readonly below: string },
  filter: PathFilter,
  { signal }: CopyOptions,
): Promise<Part> {
  const depth = below === "" ? 0 : below.split("/").length;
  if (depth >= filter.depthMax) return below !== "" && filter.isOut(below) ? "none" : "all";
  const parts = new Map<string, Part>();
  for (const [at, entry] of (await readdir(dir, { withFileTypes: true })).entries()) {
    if (at % namesPerTurn === 0) await setImmediate();
    signal?.throwIfAborted();
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    const isWhole = !entry.isDirectory() || (filter.isOut(name) && !filter.hasExceptions);
    if (isWhole) parts.set(entry.name, filter.isOut(name) ? "none" : "all");
    else {
      const folder = { dir: path.join(dir, entry.name), below: name };
      parts.set(entry.name, await partOf(folder, filter, { ...(signal && { signal }) }));
    }
  }
  const kinds = new Set(parts.values());
  if (kinds.size === 0) return below !== "" && filter.isOut(below) ? "none" : "all";
  return kinds.size === 1 && ![...kinds].some((kind) => typeof kind === "object") ? [...kinds][0]! : parts;
}

/** Whole entries go to `cp` in one call; only folders that hold something unwanted are taken apart. */
async function copyFolder(from: string, to: string, part: Part, options: CopyOptions): Promise<void> {
  await mkdir(to, { recursive: true });
  if (part === "none") return;
  const parts = part === "all" ? new Map((await readdir(from)).map((name) => [name, "all" as Part])) : part;
  const whole = [...parts].filter(([, part]) => part === "all").map(([name]) => path.join(from, name));
  for (let at = 0; at < whole.length; at += 500) await copyEntries(whole.slice(at, at + 500), to, options);
  for (const [name, part] of parts)
    if (typeof part === "object") await copyFolder(path.join(from, name), path.join(to, name), part, options);
}

async function copyEntries(
  entries: readonly string[],
  into: string,
  { link = false, signal }: CopyOptions,
  name?: string,
): Promise<void> {
  await mkdir(into, { recursive: true });
  const cp = (...args: string[]) => runProgram("cp", args, signal ? { signal } : {});
  const target = name === undefined ? into : path.join(into, name);
  if (process.platform !== "linux") return void (await cp("-a", ...entries, target));
  const where = name === undefined ? ["-t", target, "--", ...entries] : ["-T", "--", ...entries, target];
  const copy = () => cp("-a", "--reflink=auto", "--remove-destination", ...where);
  if (!link) return void (await copy());
  // Two file systems share no links; what was linked before the first refusal is replaced.
  await cp("-al", "--remove-destination", ...where).catch((error: unknown) =>
    signal?.aborted ? Promise.reject(error) : copy(),
  );
}

const isDirectory = async (file: string): Promise<boolean> =>
  (await lstat(file).catch(() => undefined))?.isDirectory() ?? false;

/** The path below the root with no link on the way that leads out of it; folders on the way are made if wished. */
export async function inside(root: string, relative: string, { make = false } = {}): Promise<string> {
  const clean = path.posix.normalize(relative.replace(/^\/+/, "") || ".").replace(/(.)\/$/, "$1");
  if (clean === ".." || clean.startsWith("../"))
    return stop(`"${relative}" lies outside of the app's folder`);
  if (clean === ".") return root;
  const parent = path.join(root, path.dirname(clean));
  let known = parent;
  while (!(await lstat(known).catch(() => undefined))) known = path.dirname(known);
  const realRoot = await realpath(root);
  const real = await realpath(known).catch(() =>
    stop(`"${relative}" passes through a link that leads nowhere`),
  );
  if (real !== realRoot && !real.startsWith(`${realRoot}/`))
    return stop(`"${relative}" passes through a link that leads out of the app's folder`);
  if (make) await mkdir(parent, { recursive: true });
  return path.join(parent, path.basename(clean));
}
