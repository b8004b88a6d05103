import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { pathPatterns, type PathPatterns } from "./path-patterns.ts";

/** A file, folder or link of a tree; the path is relative with forward slashes. */
export type TreeEntry = { readonly path: string; readonly stats: Stats; readonly linkTarget?: string };

export type TreeSelection = {
  /** Only these and what lies below them; empty means everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Told of what a build cannot use: sockets, pipes, devices. */
  readonly onSkipped?: (path: string) => void;
};

type Selection = {
  readonly include: PathPatterns;
  readonly exclude: PathPatterns;
  onSkipped(path: string): void;
  looked: number;
};

/**
 * The entries in the order the builder demands: each folder before what it holds, names in byte order.
 * A folder that was not itself asked for appears only above something that was. Throws on unreadable names.
 */
export function* walkTree(root: string, selection: TreeSelection): Generator<TreeEntry> {
  for (const entry of walkTreeInTurns(root, selection)) if (entry) yield entry;
}

/** The same with an undefined after every few names, chosen or not: what a tree's patterns cost a name is its owner's to say. */
export function* walkTreeInTurns(
  root: string,
  selection: TreeSelection,
): Generator<TreeEntry | undefined, void> {
  const include = pathPatterns(selection.include);
  const exclude = pathPatterns(selection.exclude);
  const onSkipped = selection.onSkipped ?? (() => undefined);
  yield* walkFolder(root, "", [], { include, exclude, onSkipped, looked: 0 });
}

const namesPerTurn = 16;

function* walkFolder(
  root: string,
  dir: string,
  unsent: TreeEntry[],
  selection: Selection,
): Generator<TreeEntry | undefined, void> {
  for (const name of sortedNames(join(root, dir))) {
    if (++selection.looked % namesPerTurn === 0) yield undefined;
    const path = dir === "" ? name : `${dir}/${name}`;
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (!stats) continue;
    const isChosen = chosen(path, selection);
    if (stats.isDirectory()) {
      if (!isChosen && !worthEntering(path, selection)) continue;
      const entry = { path, stats };
      if (isChosen) yield* emptied(unsent);
      if (isChosen) yield entry;
      const below = isChosen ? [] : [...unsent, entry];
      let sentBelow = false;
      for (const found of walkFolder(root, path, below, selection)) {
        sentBelow ||= found !== undefined;
        yield found;
      }
      if (sentBelow && !isChosen) unsent.length = 0;
    } else if (isChosen) {
      if (!stats.isFile() && !stats.isSymbolicLink()) {
        selection.onSkipped(path);
        continue;
      }
      yield* emptied(unsent);
      yield stats.isSymbolicLink()
        ? { path, stats, linkTarget: readlinkSync(join(root, path)) }
        : { path, stats };
    }
  }
}

function* emptied(unsent: TreeEntry[]): Generator<TreeEntry> {
  yield* unsent.splice(0);
}

const chosen = (path: string, { include, exclude }: Selection): boolean =>
  (include.isEmpty || include.matches(path)) && !exclude.matches(path);

const worthEntering = (path: string, { include, exclude }: Selection): boolean =>
  (include.isEmpty || include.matches(path) || include.mayMatchBelow(path)) &&
  (!exclude.matches(path) || exclude.mayMatchBelow(path));

function sortedNames(dir: string): string[] {
  const names = readdirSync(dir, { encoding: "buffer" }).toSorted(Buffer.compare);
  return names.map((bytes) => {
    const name = bytes.toString("utf8");
    if (!Buffer.from(name, "utf8").equals(bytes))
      throw new Error(
        `the name of a file in ${dir} is not valid UTF-8 (${name}): rename it or exclude it from the build`,
      );
    return name;
  });
}

/**
 * The paths, and what the links among them lead to inside the tree: a builder that asks for `a` where `a` is a
 * link to `b` needs both.
 */
export function withLinkTargets(root: string, paths: readonly string[]): string[] {
  const [found, links] = [new Set<string>(), new Set<string>()];
  const queue = paths.map((path) => posix.normalize(path.replace(/^\/+/, "")));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path) || found.size > 10_000) continue;
    const through = firstLinkOn(root, path);
    if (through) links.add(through.link);
    if (through) queue.push(through.target);
    found.add(path);
  }
  return found.has(".") || found.has("") ? [] : [...new Set([...found, ...links])];
}

/** The first link that the path goes through, and where the path leads with it resolved. */
function firstLinkOn(root: string, path: string): { link: string; target: string } | undefined {
  const parts = path.split("/");
  for (const [at] of parts.entries()) {
    const link = parts.slice(0, at + 1).join("/");
    const stats = lstatSync(join(root, link), { throwIfNoEntry: false });
    if (!stats) return undefined;
    if (!stats.isSymbolicLink()) continue;
    const text = readlinkSync(join(root, link));
    const target = posix.join(
      "/",
      text.startsWith("/") ? "" : posix.dirname(link),
      text,
      ...parts.slice(at + 1),
    );
    return { link, target: target.slice(1) || "." };
  }
  return undefined;
}
