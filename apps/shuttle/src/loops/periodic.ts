import { systemTime, type Time } from "../core/time.ts";

/** Runs the work now and then once per interval, on the grid of the wall clock; an error is told and the next turn comes. */
export function periodic(
  everyMs: number,
  work: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  time: Time = systemTime,
): AsyncDisposable {
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await work(ending.signal).catch((error: unknown) => void (ending.signal.aborted || failed(error)));
      await time.pause(everyMs - (time.nowMs() % everyMs) + 5, ending.signal);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
