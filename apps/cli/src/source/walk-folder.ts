import { lstat, readdir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, posix } from "node:path";
import type { SourceLimits } from "@starform/contract/source-limits";
import { Fault } from "@starform/std/fault";
import type { FolderEntry } from "./folder-entry.ts";
import { ignoreRules, type IgnoreRules } from "./ignore-rules.ts";
import { refuseLarge } from "./too-large.ts";

type Walk = {
  readonly root: string;
  readonly rules: IgnoreRules;
  readonly entries: FolderEntry[];
  readonly refused: string[];
};

/**
 * What of a folder belongs to its source, in one order whatever the file system's. Paths are relative with slashes.
 * What cannot be sent (sockets, pipes, loops of links, links that lead out, names that break tools, nothing at all, more
 * than `limits` allow) is refused in one sentence that says how to go on.
 */
export async function walkFolder(root: string, limits: SourceLimits): Promise<FolderEntry[]> {
  const stats = await stat(root).catch((error: NodeJS.ErrnoException) => {
    throw new Fault("invalid", `${root} cannot be read (${error.code}): name a folder that exists`);
  });
  if (!stats.isDirectory())
    throw new Fault("invalid", `${root} is not a folder: name the folder that holds the app`);
  const walk: Walk = {
    root: await realpath(root),
    rules: ignoreRules(await realpath(root)),
    entries: [],
    refused: [],
  };
  await enter(walk, "");
  if (walk.refused.length > 0) throw refusal(walk.refused);
  if (walk.entries.length === 0)
    throw new Fault(
      "invalid",
      `${root} is empty, or all in it is ignored: add the app's files, or take them out of .starformignore and .gitignore`,
    );
  refuseLarge(root, walk.entries, limits);
  return walk.entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function enter(walk: Walk, folder: string): Promise<boolean> {
  walk.rules.enter(folder);
  let isKept = false;
  const names = await readdir(join(walk.root, folder), { encoding: "buffer" }).catch(
    (error: NodeJS.ErrnoException) => {
      walk.refused.push(`${quoted(folder)} cannot be read (${error.code})`);
      return [];
    },
  );
  for (const raw of names) isKept = (await look(walk, folder, raw)) || isKept;
  return isKept;
}

/** Takes one name in; true if something of it was kept. */
async function look(walk: Walk, folder: string, raw: Buffer): Promise<boolean> {
  const name = raw.toString("utf8");
  const path = folder ? `${folder}/${name}` : name;
  if (!Buffer.from(name, "utf8").equals(raw))
    return refuse(walk, `${quoted(path)} has a name that is not UTF-8: rename it`);
  const stats = await lstat(join(walk.root, path));
  if (walk.rules.ignores(path, stats.isDirectory())) return false;
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name))
    return refuse(
      walk,
      `${quoted(path)} has a line break or another control character in its name: rename it`,
    );
  if (stats.isDirectory()) {
    const isKept = await enter(walk, path);
    if (isKept) walk.entries.push({ kind: "folder", path });
    return isKept;
  }
  if (stats.isSymbolicLink()) return link(walk, path);
  if (!stats.isFile())
    return refuse(
      walk,
      `${quoted(path)} is ${stats.isSocket() ? "a socket" : stats.isFIFO() ? "a named pipe" : "a device"}, not a file: delete it`,
    );
  walk.entries.push({ kind: "file", path, sizeBytes: stats.size, isExecutable: (stats.mode & 0o111) !== 0 });
  return true;
}

async function link(walk: Walk, path: string): Promise<boolean> {
  const at = join(walk.root, path);
  const to = await readlink(at);
  const end = posix.normalize(posix.join(posix.dirname(path), to));
  if (isAbsolute(to) || end === ".." || end.startsWith("../"))
    return refuse(
      walk,
      `${quoted(path)} is a link to ${to}, outside of the folder: put the file itself there`,
    );
  const failure = await stat(at).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  const isLoop = failure === "ELOOP" || (failure === undefined && (await leadsBack(walk.root, at)));
  if (isLoop) return refuse(walk, `${quoted(path)} is a link that leads back to itself (${to}): delete it`);
  walk.entries.push({ kind: "link", path, to });
  return true;
}

/** Whether a link points to a folder that it lies in. */
async function leadsBack(root: string, at: string): Promise<boolean> {
  const end = await realpath(at);
  const home = await realpath(dirname(at));
  return end.length >= root.length && (home === end || home.startsWith(`${end}/`));
}

const refuse = ({ refused }: Walk, why: string): false => {
  refused.push(why);
  return false;
};

function refusal(refused: readonly string[]): Fault {
  const shown = refused.slice(0, 5).map((line) => `\n  ${line}`);
  const rest = refused.length > 5 ? `\n  and ${refused.length - 5} more` : "";
  const [first] = refused;
  return new Fault(
    "invalid",
    refused.length === 1
      ? `${first}, or list it in .starformignore`
      : `this folder holds ${refused.length} things that cannot be sent; remove them, or list them in .starformignore:${shown.join("")}${rest}`,
  );
}

const quoted = (path: string): string => (path === "" ? "the folder" : JSON.stringify(path));
