import { Cron } from "croner";

export type DueRun = { readonly at: Date; readonly isLate: boolean };

/** A run that could not begin within this time of its hour is not made up for. */
const lateAfterMs = 60_000;
/** So many missed runs are told one by one; of more, the latest. */
const missedMax = 20;
const absenceMaxMs = 24 * 3_600_000;

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
  const fromMs = Math.max(seenUntil.getTime(), now.getTime() - absenceMaxMs);
  let [times, next] = [[] as Date[], undefined as Date | undefined];
  // A long absence is looked at from its end, in steps: of thousands of missed runs only the latest are of use.
  for (let windowMs = 2 * lateAfterMs; ; windowMs *= 2) {
    const beginMs = Math.max(fromMs, now.getTime() - windowMs);
    [times, next] = timesBetween(cron, new Date(beginMs), now);
    if (beginMs === fromMs || times.length >= missedMax) break;
  }
  const runs = times
    .slice(-missedMax)
    .map((at) => ({ at, isLate: now.getTime() - at.getTime() > lateAfterMs }));
  return { runs, next };
}

function timesBetween(cron: Cron, from: Date, until: Date): [Date[], Date | undefined] {
  const times: Date[] = [];
  let at = cron.nextRun(from);
  for (; at && at.getTime() <= until.getTime(); at = cron.nextRun(at)) times.push(at);
  return [times, at ?? undefined];
}
