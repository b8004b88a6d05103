import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";

/** A JSON file only its owner may read; undefined if there is none. A broken one is told, not overwritten. */
export function readPrivateFile<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Fault("malformed", `${path} is not JSON any more: repair it, or delete it and sign in again`, {
      cause: error,
    });
  }
}

/** Replaces the file in one step, so that a reader sees the old or the new. Rejects with a fault where the disk is full. */
export function writePrivateFile(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, path);
  } catch (cause) {
    if (!isFullDisk(cause)) throw cause;
    throw new Fault(
      "disk_full",
      `${path} cannot be written, because the disk of this computer is full: free some space, and type the command again`,
      { cause },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}
