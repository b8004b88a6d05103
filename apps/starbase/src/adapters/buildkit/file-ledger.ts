import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { holderOf, takeLock } from "@starform/std/lock";
import type { BuildLedger, LedgerImage } from "./build-ledger.ts";

/**
 * A ledger of files, for builders that only the processes of this machine use. A build belongs to the process that
 * holds its lock; a lock dies with its process. `isThere` says whether a recorded image can still be had.
 */
export function fileLedger(
  workDir: string,
  isThere: (image: LedgerImage) => Promise<boolean>,
  log: (text: string) => void,
): BuildLedger {
  const lockOf = (buildId: string) => path.join(workDir, `${buildId}.lock`);
  const recordsDir = path.join(workDir, "built");
  const cleared = clearLocks(workDir).catch((error: unknown) =>
    log(`old build locks could not be removed: ${String(error)}`),
  );

  async function recordOf(buildId: string): Promise<LedgerImage | undefined> {
    const text = await readFile(path.join(recordsDir, `${buildId}.json`), "utf8").catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      },
    );
    if (text === undefined) return undefined;
    const record = JSON.parse(text) as LedgerImage;
    return (await isThere(record)) ? record : undefined;
  }

  async function keep(buildId: string, image: LedgerImage): Promise<void> {
    await mkdir(recordsDir, { recursive: true });
    const draft = path.join(recordsDir, `${buildId}.${process.pid}.draft`);
    await writeFile(draft, JSON.stringify(image), { flush: true });
    await rename(draft, path.join(recordsDir, `${buildId}.json`));
  }

  return {
    async take({ buildId }) {
      await cleared;
      const lock = takeLock(lockOf(buildId));
      if (lock.kind === "taken") return { kind: "taken", by: `process ${lock.by.pid}` };
      // Looked at with the lock held: another may have finished the build a moment ago.
      const built = await recordOf(buildId).catch((error: unknown) => {
        lock.release();
        throw error;
      });
      if (built) lock.release();
      if (built) return { kind: "built" };
      const lost = new AbortController().signal;
      const lease = {
        lost,
        succeed: (image: LedgerImage) => keep(buildId, image),
        release: async () => lock.release(),
      };
      return { kind: "held", lease };
    },
    async of({ buildId }) {
      return (await recordOf(buildId)) ?? (holderOf(lockOf(buildId)) ? "running" : "unknown");
    },
  };
}

/** Locks of builds whose process is gone. */
async function clearLocks(workDir: string): Promise<void> {
  const locks = (await readdir(workDir)).filter((name) => name.endsWith(".lock"));
  for (const name of locks.filter((one) => !holderOf(path.join(workDir, one))))
    await rm(path.join(workDir, name), { force: true });
}
