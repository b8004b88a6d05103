import { backoffMs, type Backoff } from "@starform/std/retry";
import type { Again } from "../core/cluster.ts";

export type Reconcile = (key: string, signal: AbortSignal) => Promise<Again>;
export interface WorkQueue extends AsyncDisposable {
  /** The key is worked on soon; one that is being worked on is worked on again afterwards. */
  add(key: string): void;
}
type Options = {
  readonly reconcile: Reconcile;
  readonly failed: (key: string, error: unknown) => void;
  readonly atOnceMax?: number;
  readonly backoff?: Backoff;
};
type Entry = { isRunning: boolean; isDue: boolean; fails: number; timer: NodeJS.Timeout | undefined };

/**
 * Work per key: a key never runs twice at once, one added while it runs runs again, errors back off per key and keep
 * no other key from its turn.
 */
export function workQueue({
  reconcile,
  failed,
  atOnceMax = 32,
  backoff = { firstMs: 250, maxMs: 30_000 },
}: Options): WorkQueue {
  const entries = new Map<string, Entry>();
  const waiting: string[] = [];
  const ending = new AbortController();
  const tasks = new Set<Promise<void>>();

  const entryOf = (key: string): Entry => {
    const entry = entries.get(key) ?? { isRunning: false, isDue: false, fails: 0, timer: undefined };
    entries.set(key, entry);
    return entry;
  };
  const add = (key: string): void => {
    if (ending.signal.aborted) return;
    const entry = entryOf(key);
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (entry.isDue) return;
    entry.isDue = true;
    if (!entry.isRunning) waiting.push(key);
    fill();
  };
  const later = (key: string, inMs: number): void => {
    const entry = entryOf(key);
    if (entry.isDue || ending.signal.aborted) return;
    entry.timer = setTimeout(() => add(key), inMs);
  };
  const runOne = async (key: string, entry: Entry): Promise<void> => {
    try {
      const again = await reconcile(key, ending.signal);
      entry.fails = 0;
      if (again) later(key, again.inMs);
    } catch (error) {
      entry.fails += 1;
      if (!ending.signal.aborted) failed(key, error);
      later(key, backoffMs(backoff, entry.fails));
    }
  };
  const fill = (): void => {
    while (tasks.size < atOnceMax && waiting.length > 0) {
      const key = waiting.shift()!;
      const entry = entryOf(key);
      Object.assign(entry, { isDue: false, isRunning: true });
      const task = runOne(key, entry).finally(() => {
        tasks.delete(task);
        entry.isRunning = false;
        if (entry.isDue && !ending.signal.aborted) waiting.push(key);
        else if (!entry.timer && entry.fails === 0) entries.delete(key);
        fill();
      });
      tasks.add(task);
    }
  };
  return {
    add,
    async [Symbol.asyncDispose]() {
      ending.abort();
      for (const entry of entries.values()) clearTimeout(entry.timer);
      waiting.length = 0;
      await Promise.all(tasks);
    },
  };
}
