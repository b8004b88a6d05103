import { randomBytes } from "node:crypto";
import { renameSync, statfsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { wordsOf } from "@starform/std/fault";
import { sayBytes } from "./build-limits.ts";
import type { CacheHolds } from "./cache-holds.ts";
import { diskUsage } from "./program.ts";

export type CacheTotal = {
  readonly cacheDir: string;
  /** What the caches of all projects and the tools may hold together. */
  readonly bytesMax: number;
  readonly holds: CacheHolds;
  /** Whether builds of another process use the caches too: nothing is removed until they are over. */
  readonly isUsedElsewhere: () => Promise<boolean>;
  /** Fires when the platform ends, which waits for no disk to be looked through. */
  readonly closing: AbortSignal;
  /** For the operator. */
  readonly log: (text: string) => void;
};

/** Where nothing else is said: a tenth of their disk, 2 to 30 GB, as of the engine's own. */
export function cacheBytesOf(cacheDir: string): number {
  const { blocks, bsize } = statfsSync(cacheDir);
  return Math.min(30e9, Math.max(2e9, (blocks * bsize) / 10));
}

/** A step's tree, a folder that lives between builds, or a tool: it goes as a whole. */
type Entry = { readonly folder: string; readonly usedMs: number };
type Measured = { readonly usedMs: number; readonly bytes: number; readonly isFinal: boolean };

/**
 * Answers what brings the caches within their size: what was used longest ago goes, and nothing that a build uses. Calls
 * wait for one another.
 */
export function boundCaches(total: CacheTotal): () => Promise<void> {
  const measured = new Map<string, Measured>();
  let last = Promise.resolve();
  return () => (last = last.catch(() => undefined).then(() => removeOldest(total, measured)));
}

async function removeOldest(total: CacheTotal, measured: Map<string, Measured>): Promise<void> {
  const { cacheDir, bytesMax, holds, isUsedElsewhere, closing, log } = total;
  await clearAside(total);
  const entries = await entriesOf(cacheDir);
  await measure(entries, total, measured);
  if (closing.aborted) return;
  const bytesOf = ({ folder }: Entry) => measured.get(folder)?.bytes ?? 0;
  const all = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  if (all <= bytesMax || (await isUsedElsewhere())) return;
  const removed: Entry[] = [];
  let left = all;
  for (const entry of entries.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (left <= bytesMax) break;
    if (holds.isHeld(entry.folder)) continue;
    // At once and as a whole: a build that begins now finds it or does not.
    renameSync(entry.folder, path.join(cacheDir, `${aside}${randomBytes(6).toString("hex")}`));
    left -= bytesOf(entry);
    removed.push(entry);
  }
  if (removed.length > 0)
    log(
      `the build caches held ${sayBytes(all)}, and may hold ${sayBytes(bytesMax)}: removed what no build used for longest, ${sayBytes(all - left)} in ${listed(removed.map(({ folder }) => path.relative(cacheDir, folder)))}`,
    );
  await clearAside(total);
}

/** What nobody used since is as large as it was. */
async function measure(
  entries: readonly Entry[],
  { holds, closing }: CacheTotal,
  measured: Map<string, Measured>,
): Promise<void> {
  const there = new Set(entries.map(({ folder }) => folder));
  for (const folder of measured.keys()) if (!there.has(folder)) measured.delete(folder);
  for (const { folder, usedMs } of entries) {
    if (closing.aborted) return;
    const known = measured.get(folder);
    if (known?.isFinal && known.usedMs === usedMs) continue;
    const isFinal = !holds.isHeld(folder);
    measured.set(folder, { usedMs, bytes: await diskUsage([folder]), isFinal });
  }
}

const aside = "removed-";

async function clearAside({ cacheDir, log }: CacheTotal): Promise<void> {
  for (const name of await readdir(cacheDir))
    if (name.startsWith(aside))
      await rm(path.join(cacheDir, name), { recursive: true, force: true }).catch((error) =>
        log(`a build cache could not be removed: ${wordsOf(error)}`),
      );
}

async function entriesOf(cacheDir: string): Promise<Entry[]> {
  const below = async (folder: string) =>
    (await readdir(folder).catch((): string[] => [])).map((name) => path.join(folder, name));
  const kinds = (await below(path.join(cacheDir, "projects"))).flatMap((project) =>
    ["steps", "mounts"].map((kind) => path.join(project, kind)),
  );
  const folders = (await Promise.all([path.join(cacheDir, "tools"), ...kinds].map(below))).flat();
  const dated = await Promise.all(
    folders.map(async (folder) => ({ folder, usedMs: (await stat(folder).catch(() => undefined))?.mtimeMs })),
  );
  return dated.filter((one): one is Entry => one.usedMs !== undefined);
}

const listedMax = 10;
const listed = (names: readonly string[]): string =>
  [
    ...names.slice(0, listedMax),
    ...(names.length > listedMax ? [`${names.length - listedMax} more`] : []),
  ].join(", ");
