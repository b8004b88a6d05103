import { type Dirent, opendirSync, realpathSync, statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { PlanRefusal } from "./plan-refusal.ts";

/** What the planner will look at, at most. What lies beyond is built all the same; it only cannot be detected. */
export const walkLimits = {
  entriesMax: 50_000,
  foldersMax: 5_000,
  entriesPerFolderMax: 10_000,
  depthMax: 12,
};

/** Folders that tools make or fill; they say nothing about the app and can be huge. */
const opaque = new Set(
  [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    ".venv",
    "venv",
    "__pycache__",
    ".tox",
    ".mypy_cache",
  ].concat([
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".turbo",
    ".nx",
    ".gradle",
    ".cargo",
    ".bundle",
    ".starform",
    ".idea",
    ".yarn",
  ]),
);

export interface Walked {
  /** Relative, "/" between folders, in code unit order. Links to files inside the tree count as files. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** What was passed over, and why; at most a few, for the person reading the build log. */
  readonly notes: readonly string[];
}

/**
 * Lists a tree breadth first, in one order whatever the file system's is, and never outside of it:
 * links are followed to what lies inside, as many as are left, sockets, pipes and devices are passed over, nothing is opened.
 */
export async function walkTree(root: string, links: { leftLinks: number }): Promise<Walked> {
  const realRoot = await realpath(root);
  const found = {
    files: [] as string[],
    directories: [] as string[],
    notes: new Set<string>(),
    links,
  };
  let [level, looked] = [[""], 0];
  for (let depth = 0; level.length > 0 && depth < walkLimits.depthMax; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (found.files.length + found.directories.length >= walkLimits.entriesMax) {
        found.notes.add(`only the first ${walkLimits.entriesMax} files and folders were looked at`);
        level = [];
        next.length = 0;
        break;
      }
      if (++looked > walkLimits.foldersMax) {
        found.notes.add(`only the first ${walkLimits.foldersMax} folders were looked into`);
        level = [];
        next.length = 0;
        break;
      }
      next.push(...(await readFolder(realRoot, folder, found)));
    }
    level = next.toSorted();
  }
  return {
    files: found.files.toSorted(),
    directories: found.directories.toSorted(),
    notes: [...found.notes].slice(0, 5),
  };
}

type Found = { files: string[]; directories: string[]; notes: Set<string>; links: { leftLinks: number } };

/** Adds what one folder holds and answers which folders to look into next. */
async function readFolder(root: string, folder: string, found: Found): Promise<string[]> {
  const entries = await listFolder(root, folder, found);
  const descend: string[] = [];
  for (const { name, kind } of entries) {
    const at = folder === "" ? name : `${folder}/${name}`;
    if (kind === "file") found.files.push(at);
    if (kind === "directory" || kind === "linked-directory") found.directories.push(at);
    if (kind === "directory" && !opaque.has(name)) descend.push(at);
  }
  return descend;
}

type Kind = "file" | "directory" | "linked-directory" | "other";

/** Read in one go, bounded in number, with a turn for others after each folder: many times faster than entry by entry. */
async function listFolder(
  root: string,
  folder: string,
  found: Found,
): Promise<{ name: string; kind: Kind }[]> {
  const here = path.join(root, folder);
  const entries: { name: string; kind: Kind }[] = [];
  await setImmediate();
  for (const entry of readEntries(here, folder, found)) {
    if (!isPlainName(entry.name)) {
      found.notes.add("names with line breaks, control characters or invalid UTF-8 were passed over");
      continue;
    }
    const kind = entry.isSymbolicLink() ? followed(root, path.join(here, entry.name), found) : kindOf(entry);
    entries.push({ name: entry.name, kind });
  }
  return entries;
}

const kindOf = (entry: Dirent): Kind =>
  entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";

function readEntries(here: string, folder: string, found: Found): Dirent[] {
  const entries: Dirent[] = [];
  try {
    using open = opendirSync(here, { bufferSize: 512 });
    for (let entry = open.readSync(); entry; entry = open.readSync()) {
      if (entries.length >= walkLimits.entriesPerFolderMax) return tooMany(folder, found);
      entries.push(entry);
    }
  } catch (cause) {
    if (folder === "") throw cause;
    found.notes.add("a folder that cannot be read was passed over");
    return [];
  }
  return entries;
}

function tooMany(folder: string, found: Found): [] {
  const count = `more than ${walkLimits.entriesPerFolderMax} entries`;
  if (folder === "") {
    throw new PlanRefusal(`the source's root folder holds ${count}, so it cannot be read as an app`, {
      hint: "Set the root directory to the app's own folder, or leave generated files out of the source.",
    });
  }
  found.notes.add(`folders with ${count} were not looked into`);
  return [];
}

/** Following is a question to the file system for each folder on the way, so there is an end to it. */
function followed(root: string, link: string, { links, notes }: Found): Kind {
  links.leftLinks -= 1;
  if (links.leftLinks >= 0) return linkKind(root, link);
  notes.add("there are more links than the planner follows; the others were passed over");
  return "other";
}

/** A link counts for what it points at, if that is inside the tree; loops, dangling links and links out do not count. */
function linkKind(root: string, link: string): Kind {
  try {
    const target = realpathSync.native(link);
    if (!target.startsWith(root + path.sep)) return "other";
    const stats = statSync(target);
    return stats.isFile() ? "file" : stats.isDirectory() ? "linked-directory" : "other";
  } catch {
    return "other";
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const isPlainName = (name: string): boolean => !/[\u0000-\u001f\u007f\ufffd]/.test(name);
