import { logDays, type Plan } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import { isFault } from "@starform/std/fault";
import type { LogStore } from "../../ports/log-store.ts";
import type { Stores } from "../stores.ts";

const dayMs = 86_400_000;
const workspacesAtOnce = 500;

/** The time of the oldest line that a workspace of the plan may still read. */
export const logsKeptSince = (plan: Plan, now: Date): Date => new Date(now.getTime() - logDays[plan] * dayMs);

/** The longest time is the table's own, which drops whole days by itself. */
const longestDays = Math.max(...Object.values(logDays));
const shorterPlans = (Object.keys(logDays) as Plan[]).filter((plan) => logDays[plan] < longestDays);

/**
 * Deletes what workspaces of shorter plans may not read any more. Run again it finds nothing; what it did not come to,
 * because the signal fired or the store was away, the next hour's does: nobody reads it meanwhile.
 */
export const expireLogs =
  ({ stores, logs, clock }: { stores: Pick<Stores, "workspaces">; logs: LogStore; clock: Clock }) =>
  async (signal: AbortSignal): Promise<void> => {
    for (const plan of shorterPlans) {
      const before = logsKeptSince(plan, clock.now());
      let after: string | undefined;
      do {
        const page = { limit: workspacesAtOnce, ...(after ? { after } : {}) };
        const ids = await stores.workspaces.idsOfPlan(plan, page);
        if (ids.length > 0 && !(await isDeleted(logs, ids, before))) return;
        after = ids.length === workspacesAtOnce ? ids.at(-1) : undefined;
      } while (after && !signal.aborted);
    }
  };

const isDeleted = (logs: LogStore, ids: readonly string[], before: Date): Promise<boolean> =>
  logs.deleteBefore(ids, before).then(
    () => true,
    (error: unknown) => {
      if (isFault(error, "unavailable")) return false;
      throw error;
    },
  );
