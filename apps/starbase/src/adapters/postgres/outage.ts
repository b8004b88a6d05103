import type { Clock } from "@starform/std/clock";
import type { Logger } from "pino";

/** How long no second line is written of an outage that lasts. */
const quietMs = 30_000;

export type Outage = {
  /** A connection was lost, or could not be had. */
  readonly lost: (error: unknown) => void;
  /** For who waits for the database to come back: it has. */
  readonly back: () => void;
};

/**
 * Tells of the times in which the database is away, whoever in the process meets them: the first failure at once, then
 * at most one line in thirty seconds with how many there were since the one before, and one when it is back.
 */
export function outageLog(logger: Logger, clock: Clock): Outage {
  let [toldMs, lastMs, failures] = [-Infinity, -Infinity, 0];
  return {
    lost(error) {
      const nowMs = clock.now().getTime();
      const isNew = nowMs - lastMs >= quietMs;
      lastMs = nowMs;
      failures += 1;
      if (nowMs - toldMs < quietMs) return;
      const words = isNew ? "the database connection was lost" : "the database is still away";
      logger.warn({ err: error, failures }, words);
      [toldMs, failures] = [nowMs, 0];
    },
    back() {
      logger.info({ failures }, "the database is back");
      [toldMs, lastMs, failures] = [-Infinity, -Infinity, 0];
    },
  };
}
