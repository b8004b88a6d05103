import { mkdirSync } from "node:fs";
import { stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { holderOf, takeLock, type LockResult } from "@starform/std/lock";
import type { PushGate } from "../../core/images/ports.ts";

/**
 * Keeps pushes and the collection of garbage apart by two files in `dir`: when a push was last admitted, and who
 * collects. A collector that was killed is no obstacle: its lock falls with its process.
 */
export function filePushGate(dir: string) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const [lastPush, collecting] = [path.join(dir, "last-push"), path.join(dir, "collecting.lock")];
  return {
    async admit() {
      // One that is refused must not keep the collector waiting.
      if (holderOf(collecting)) return false;
      // Noted before it is looked again: either this sees the collector, or the collector sees this.
      await touch(lastPush);
      return holderOf(collecting) === undefined;
    },
    /** Undefined when another process collects. */
    close(): Extract<LockResult, { kind: "held" }> | undefined {
      const lock = takeLock(collecting);
      return lock.kind === "held" ? lock : undefined;
    },
    isClosed: () => holderOf(collecting) !== undefined,
    /** 0 when there never was one. */
    async lastPushMs(): Promise<number> {
      return (await stat(lastPush).catch(() => undefined))?.mtimeMs ?? 0;
    },
  } satisfies PushGate & Record<string, unknown>;
}
export type FilePushGate = ReturnType<typeof filePushGate>;

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => writeFile(file, "", { mode: 0o600 }));
}
