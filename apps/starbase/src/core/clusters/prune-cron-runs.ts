import { logDays } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import type { ClusterStore } from "./ports.ts";

/** As long as any plan keeps the lines that a run said; the newest of a cron for ever, which may run once a year. */
const keptMs = Math.max(...Object.values(logDays)) * 86_400_000;
const kept = 100;
/** No statement holds more rows than this, and no pass takes more statements: what is left over is for the next. */
const [atOnceMax, statementsMax] = [5_000, 20];

/** Forgets runs of crons that are too old to be looked at. Answers how many. */
export const pruneCronRuns =
  ({ clusters, clock }: { clusters: Pick<ClusterStore, "pruneCronRuns">; clock: Clock }) =>
  async (signal: AbortSignal): Promise<number> => {
    const before = new Date(clock.now().getTime() - keptMs);
    let forgotten = 0;
    for (let at = 0; at < statementsMax && !signal.aborted; at++) {
      const count = await clusters.pruneCronRuns({ before, kept, max: atOnceMax });
      forgotten += count;
      if (count < atOnceMax) break;
    }
    return forgotten;
  };
