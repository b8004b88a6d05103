import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";

/** Work that outlasts the call that began it: tried until it succeeds, or until the signal. */
export function backgroundWork(
  name: string,
  signal: AbortSignal,
  warn: (sentence: string) => void,
  done: () => void,
) {
  const tasks = new Set<Promise<void>>();
  const persist = async (work: () => Promise<void>): Promise<void> => {
    for (let fails = 0; !signal.aborted;)
      try {
        return await work();
      } catch (error) {
        if (fails++ % 10 === 0) warn(`${name}: ${wordsOf(error)}; it is tried again`);
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
