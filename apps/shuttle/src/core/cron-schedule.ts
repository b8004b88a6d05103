import { Cron } from "croner";

export type DueRun = { readonly at: Date; readonly isLate: boolean };

/** A run that could not begin within this time of its hour is not made up for. */
const lateAfterMs = 60_000;
/** So many missed runs are told one by one; of more, the latest. */
const missedMax = 20;

/** Why a schedule can never run; undefined for a good one. All times are UTC. */
export function scheduleFault(schedule: string | null): string | undefined {
  if (!schedule) return "a cron service needs a schedule, such as 0 3 * * * for every night at three";
  try {
    return new Cron(schedule, { timezone: "UTC", paused: true }).nextRun()
      ? undefined
      : `the schedule ${schedule} never comes`;
  } catch (error) {
    return `the schedule ${schedule} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The runs due after `seenUntil` up to `now`, oldest first, and the one that follows. */
export function dueRuns(
  schedule: string,
  seenUntil: Date,
  now: Date,
): { runs: DueRun[]; next: Date | undefined } {
  const cron = new Cron(schedule, { timezone: "UTC", paused: true });
  const times: Date[] = [];
  // A long absence is looked at from its end: hours of missed minutes are of no use to anybody.
  const from = Math.max(seenUntil.getTime(), now.getTime() - 24 * 3_600_000);
  let at = cron.nextRun(new Date(from));
  while (at && at.getTime() <= now.getTime()) {
    times.push(at);
    at = cron.nextRun(at);
  }
  const runs = times
    .slice(-missedMax)
    .map((time) => ({ at: time, isLate: now.getTime() - time.getTime() > lateAfterMs }));
  return { runs, next: at ?? undefined };
}
