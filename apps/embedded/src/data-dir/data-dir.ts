import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "@starform/std/fault";
import { takeLock } from "@starform/std/lock";
import { stopLeftOvers } from "../supervisor/pid-file.ts";
import { readState, removeState } from "./state.ts";

/** The layout this code writes; a change that older code cannot read raises it. */
export const dataDirVersion = 1;
const freeBytesMin = 300 * 2 ** 20;
const folders = [
  "telemetry",
  "metrics",
  "images",
  "cache",
  "git",
  "sources",
  "shuttle",
  "gateway",
  "secrets",
  "logs",
  "run",
];

export type DataDir = Disposable & {
  readonly path: string;
  readonly runDir: string;
  readonly logDir: string;
  /** What an earlier, killed platform had left running here; it is stopped by now. */
  readonly leftOvers: readonly string[];
};

type Options = {
  readonly isFresh: boolean;
  /** Whatever else may refuse the start: it is asked before anything in the folder is deleted or written. */
  refuse?(): Promise<void>;
  freeBytes?(path: string): number;
};

/**
 * Makes the folder if needed and takes it for this process. Rejects with a Fault that says what to do if another
 * platform has it, if a newer Starform wrote it, if it is somebody else's (with `isFresh`), if `refuse` rejects, or if
 * the disk is full. Until `refuse` has resolved, what the folder holds stays, and what is refused there leaves no folder
 * that was not there before.
 */
export async function openDataDir(path: string, options: Options): Promise<DataDir> {
  const runDir = join(path, "run");
  const firstMade = make(runDir);
  const lock = takeLock(join(runDir, "lock"));
  if (lock.kind === "taken") throw alreadyRunning(path, lock.by.pid);
  try {
    if (options.isFresh) refuseForeign(path);
    else refuseNewer(path);
    const leftOvers = await stopLeftOvers(runDir);
    await options.refuse?.();
    if (options.isFresh) empty(path);
    refuseFullDisk(path, (options.freeBytes ?? freeBytesOf)(path));
    for (const folder of folders) make(join(path, folder));
    writeFileSync(join(path, "version"), `${dataDirVersion}\n`);
    removeState(path);
    return { path, runDir, logDir: join(path, "logs"), leftOvers, [Symbol.dispose]: () => lock.release() };
  } catch (error) {
    lock.release();
    if (firstMade) unmake(runDir, firstMade);
    throw error;
  }
}

/** Answers the first folder that was not there before. */
function make(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true, mode: path.endsWith("secrets") ? 0o700 : 0o755 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOSPC"
        ? "the disk is full"
        : code === "EACCES" || code === "EROFS"
          ? "it may not be written"
          : (code ?? "unknown reason");
    throw new Fault("unavailable", `Cannot make ${path}: ${why}. Choose another place with --data-dir.`, {
      cause,
    });
  }
}

/** Takes back what `make` made, from within outwards, as far as nobody else has put anything there. */
function unmake(path: string, firstMade: string): void {
  try {
    rmdirSync(path);
    if (path !== firstMade) unmake(dirname(path), firstMade);
  } catch {
    // Another start has it by now, or it holds what was written before the start was refused.
  }
}

function alreadyRunning(path: string, pid: number): Fault {
  const url = readState(path)?.dashboardUrl;
  const where = url ? ` at ${url}` : " (still starting)";
  return new Fault(
    "conflict",
    `Starform already runs in ${path}${where}, process ${pid}. Stop it with npm stop, or start a second one with --data-dir and --port-base.`,
  );
}

const entriesOf = (path: string): string[] => readdirSync(path).filter((name) => name !== "run");

function refuseForeign(path: string): void {
  if (entriesOf(path).length === 0 || existsSync(join(path, "version"))) return;
  throw new Fault(
    "conflict",
    `${path} holds files that are not Starform's, so --fresh does not delete it: choose another --data-dir.`,
  );
}

/** Deletes everything but the lock we hold. */
function empty(path: string): void {
  for (const name of entriesOf(path)) rmSync(join(path, name), { recursive: true, force: true });
  for (const name of readdirSync(join(path, "run")))
    if (name !== "lock") rmSync(join(path, "run", name), { recursive: true, force: true });
}

function refuseNewer(path: string): void {
  const file = join(path, "version");
  if (!existsSync(file)) return;
  const found = Number(readFileSync(file, "utf8").trim());
  if (found <= dataDirVersion) return;
  throw new Fault(
    "conflict",
    `${path} was written by a newer Starform (layout ${found || "unknown"}, this one knows ${dataDirVersion}). Update this clone (git pull), or choose another --data-dir; nothing was changed.`,
  );
}

function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function refuseFullDisk(path: string, free: number): void {
  if (free >= freeBytesMin) return;
  throw new Fault(
    "unavailable",
    `The disk of ${path} is full (${Math.floor(free / 2 ** 20)} MB free, ${freeBytesMin / 2 ** 20} MB needed): free some space, or choose another --data-dir.`,
  );
}
