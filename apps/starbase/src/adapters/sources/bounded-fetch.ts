import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { Fault } from "@starform/std/fault";
import { sayBytes } from "../process-builder/build-limits.ts";
import { diskUsage } from "../process-builder/program.ts";

const lookEveryMs = 250;

/**
 * Runs a fetch into the bare repository, which may grow it by so much. Throws Fault `invalid` where it grows more: while
 * it does, by the signal, or at its end. What a fetch that fails was writing is taken away.
 */
export async function boundedFetch<T>(
  repository: string,
  {
    bytesMax,
    shown,
    signal,
  }: { readonly bytesMax: number; readonly shown: string; readonly signal: AbortSignal },
  fetch: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const before = await diskUsage([repository]);
  const over = new AbortController();
  const tooLarge = new Fault(
    "invalid",
    `the repository ${shown} is larger than ${sayBytes(bytesMax)}: leave large files out of it, or push the code instead`,
  );
  const look = async (): Promise<void> => {
    if ((await diskUsage([repository])) - before > bytesMax) over.abort(tooLarge);
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look()
      .catch(() => undefined)
      .finally(() => (looking = undefined));
  }, lookEveryMs);
  try {
    const fetched = await fetch(AbortSignal.any([signal, over.signal]));
    await look();
    over.signal.throwIfAborted();
    return fetched;
  } catch (error) {
    await removeDrafts(repository);
    // A pack that came whole: all of the copy goes, the next fetch begins anew.
    if (over.signal.aborted && !signal.aborted) await rm(repository, { recursive: true, force: true });
    throw over.signal.aborted && !signal.aborted ? tooLarge : error;
  } finally {
    clearInterval(timer);
  }
}

/** Git that is killed leaves its unfinished pack for good. */
async function removeDrafts(repository: string): Promise<void> {
  const dir = path.join(repository, "objects", "pack");
  const drafts = (await readdir(dir).catch(() => [])).filter((name) => name.startsWith("tmp_"));
  for (const name of drafts) await rm(path.join(dir, name), { force: true });
}
