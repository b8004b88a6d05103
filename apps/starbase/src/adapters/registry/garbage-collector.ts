import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { wordsOf } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { pause } from "@starform/std/retry";
import { tokenSeconds } from "../../core/images/grant-registry-access.ts";
import type { GarbageCollection } from "../../ports/registry-provider.ts";
import { filePushGate } from "./push-gate.ts";
import type { RegistryStorage } from "./registry-storage.ts";

export type GarbageCollectorOptions = {
  /** The gate's files and the record of the last collection. */
  readonly dir: string;
  readonly program: string;
  readonly configFile: string;
  readonly storage: RegistryStorage;
  /** How long a push that was admitted may go on before it has to ask again; `pushMs` if not said. */
  readonly drainMs?: number;
};

/** A token's life, and the minute by which docker-registry overstays it. */
export const pushMs = tokenSeconds * 1_000 + 60_000;
const giveUpMs = 15 * 60_000;
const lookEveryMs = 500;

const run = promisify(execFile);

/**
 * Runs `docker-registry garbage-collect` beside the serving registry. It would take layers of a push that is half way
 * for garbage, so no push is admitted while it runs, and it waits until those that were are over: usually not at all.
 */
export function garbageCollector(options: GarbageCollectorOptions) {
  const { dir, program, configFile, storage, drainMs = pushMs } = options;
  const gate = filePushGate(dir);
  const record = path.join(dir, "collection.json");
  const stopping = new AbortController();
  let work: Promise<void> | undefined;

  const write = async (collection: GarbageCollection): Promise<void> => {
    await writeFile(`${record}.draft`, JSON.stringify(collection), { mode: 0o600 });
    await rename(`${record}.draft`, record);
  };

  const state = async (): Promise<GarbageCollection | undefined> => {
    const text = await readFile(record, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const read = JSON.parse(text) as GarbageCollection & { startedAt: string };
    const kept: GarbageCollection = { ...read, startedAt: new Date(read.startedAt) };
    return kept.state === "running" && !gate.isClosed()
      ? { ...kept, state: "failed", reason: "the process that ran it has ended" }
      : kept;
  };

  const isQuiet = async (): Promise<boolean> => {
    const since = Date.now() - drainMs;
    return (await gate.lastPushMs()) < since && !(await storage.hasUploadSince(since));
  };

  const collect = async (): Promise<Pick<GarbageCollection, "state" | "freedBytes" | "reason">> => {
    const deadline = Date.now() + giveUpMs;
    while (!(await isQuiet())) {
      if (Date.now() > deadline) return { state: "failed", reason: "pushes did not end in fifteen minutes" };
      await pause(lookEveryMs, stopping.signal);
      stopping.signal.throwIfAborted();
    }
    const before = await storage.usedBytes();
    await run(program, ["garbage-collect", configFile], { signal: stopping.signal, maxBuffer: 64 * 2 ** 20 });
    return { state: "succeeded", freedBytes: Math.max(0, before - (await storage.usedBytes())) };
  };

  return {
    state,
    async start(): Promise<GarbageCollection> {
      const lock = gate.close();
      const known = lock ? undefined : await state();
      if (known) return known;
      const begun: GarbageCollection = { id: uuid(), state: "running", startedAt: new Date() };
      if (!lock) return begun;
      await write(begun);
      work = collect()
        .catch((error: unknown) =>
          stopping.signal.aborted
            ? ({ state: "cancelled" } as const)
            : ({ state: "failed", reason: wordsOf(error).slice(0, 500) } as const),
        )
        .then((end) => write({ ...begun, ...end }))
        .finally(() => lock.release());
      // An error of the last write is the next one's to meet.
      work.catch(() => undefined);
      return begun;
    },
    async stop(): Promise<void> {
      stopping.abort();
      await work?.catch(() => undefined);
    },
  };
}
