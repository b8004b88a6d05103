import { ownPhaseMs } from "../core/own-phase.ts";
import { starbaseBackoffMs } from "../core/starbase-backoff.ts";
import { systemTime, type Time } from "../core/time.ts";

type Deps = {
  readonly clusterId: string;
  /** As metrics name it. */
  readonly call: string;
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** With how many failures in a row came before. */
  readonly failed: (error: unknown, before: number) => void;
  readonly time?: Time;
};

/**
 * Tells Starbase something now and then once per interval, at the cluster's own phase of it: the clocks of a thousand
 * Shuttles agree, so on the minute they would all call at once. What fails is tried again with full jitter, up to the
 * interval, so that they do not come back together after an outage either.
 */
export function inOwnTurn(
  { clusterId, call, work, failed, time = systemTime }: Deps,
  everyMs: number,
): AsyncDisposable {
  const ending = new AbortController();
  const phaseMs = ownPhaseMs(clusterId, call, everyMs);
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      try {
        await work(ending.signal);
        fails = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        failed(error, fails++);
      }
      const toPhaseMs = everyMs - ((time.nowMs() - phaseMs) % everyMs);
      await time.pause(
        fails > 0 ? starbaseBackoffMs(fails, { maxMs: everyMs }) : Math.max(1, toPhaseMs),
        ending.signal,
      );
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
