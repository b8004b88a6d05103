import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isAlive, startTimeOf } from "./process.ts";

/** Who holds a lock: a process, told apart from a later one with the same id. */
export type Holder = { readonly pid: number; readonly startTime: string };

export type LockResult =
  | { readonly kind: "held"; release(): void }
  | { readonly kind: "taken"; readonly by: Holder };

/**
 * Takes the lock file at `path` for this process. A file whose process is gone (killed, or the machine was
 * rebooted) is no obstacle. `release` removes the file only while it is still ours.
 */
export function takeLock(path: string): LockResult {
  const mine: Holder = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
  const text = JSON.stringify(mine);
  for (let attempt = 0; attempt < 500; attempt++) {
    if (create(path, text))
      return { kind: "held", release: () => void (readText(path) === text && rmSync(path, { force: true })) };
    const seen = readText(path);
    const holder = parse(seen);
    if (holder && holds(holder)) return { kind: "taken", by: holder };
    if (seen !== undefined) setAside(path);
  }
  throw new Error(`cannot take the lock ${path}: other processes keep changing it`);
}

/** Who holds the lock file now, if a living process does. */
export function holderOf(path: string): Holder | undefined {
  const holder = parse(readText(path));
  return holder && holds(holder) ? holder : undefined;
}

const guardExpiresMs = 5_000;
const holds = ({ pid, startTime }: Holder): boolean => isAlive(pid) && startTimeOf(pid) === startTime;

/** Writes beside and links into place, so that nobody ever reads a half-written lock. */
function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Removes a dead lock. Only one process at a time may (a folder is its guard), so the lock that another has just
 * taken in its place is never removed. A guard left by a killed process expires.
 */
function setAside(path: string): void {
  const guard = `${path}.guard`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > guardExpiresMs) rmSync(guard, { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    return;
  }
  try {
    const holder = parse(readText(path));
    if (!holder || !holds(holder)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string | undefined): Holder | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<Holder>;
    return typeof value.pid === "number" && typeof value.startTime === "string"
      ? (value as Holder)
      : undefined;
  } catch {
    return undefined;
  }
}
