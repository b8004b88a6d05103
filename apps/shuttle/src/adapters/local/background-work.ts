import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { ServiceKey } from "../../core/service-key.ts";
import type { Warn } from "../../core/warn.ts";

/** Work that outlasts the call that began it: tried until it succeeds, or until the signal. */
export function backgroundWork(key: ServiceKey, signal: AbortSignal, warn: Warn, done: () => void) {
  const tasks = new Set<Promise<void>>();
  const persist = async (work: () => Promise<void>): Promise<void> => {
    for (let fails = 0; !signal.aborted;)
      try {
        return await work();
      } catch (error) {
        if (fails++ % 10 === 0) warn(`${key}: ${wordsOf(error)}; it is tried again`, key);
        await pause(backoffMs({ firstMs: 500, maxMs: 10_000 }, fails), signal);
      }
  };
  return {
    begin(work: () => Promise<void>): void {
      const task = persist(work).finally(() => {
        tasks.delete(task);
        done();
      });
      tasks.add(task);
    },
    async settled(): Promise<void> {
      while (tasks.size > 0) await Promise.all(tasks);
    },
  };
}
