import { pause } from "@starform/std/retry";
import type { LogScope } from "../../ports/log-store.ts";
import type { Select } from "./select.ts";

/** A sum over what came lately for some services: another sum, other lines. */
export type Arrived = string;

/** One look at the store for all tails of this process that have nothing to show, in place of one for each. */
export type Arrivals = {
  /** When something else came for the scope's services than `last` says; at the latest after five seconds, or with the signal. Never rejects. */
  next(scope: LogScope, last: Arrived | undefined, signal: AbortSignal): Promise<Arrived>;
};

type Waiting = {
  readonly scope: LogScope;
  readonly last: Arrived | undefined;
  readonly untilMs: number;
  readonly wake: (arrived: Arrived) => void;
};
type Row = {
  readonly project_id: string;
  readonly environment: string;
  readonly service_id: string;
  readonly arrived: string;
};

const lookEveryMs = 75;
/** A tail looks for itself this often in any case. It must be well below the seconds that the shared look goes back. */
const waitMaxMs = 5_000;
const lookBackSeconds = 15;

export function openArrivals(select: Select): Arrivals {
  const waiting = new Set<Waiting>();
  let isLooking = false;

  async function look(): Promise<void> {
    isLooking = true;
    // All who begin to wait at once are in the first look.
    await undefined;
    while (waiting.size > 0) {
      const beganMs = performance.now();
      const asked = [...waiting];
      // While the store is away each tail asks it by itself, and knows for how long that may last.
      const arrived = await arrivedLately(select, asked).catch(() => undefined);
      for (const each of asked) {
        const now = arrived?.(each.scope) ?? "";
        if (!arrived || now !== each.last || performance.now() >= each.untilMs) each.wake(now);
      }
      const tookMs = performance.now() - beganMs;
      await pause(Math.max(tookMs, lookEveryMs - tookMs));
    }
    isLooking = false;
  }

  return {
    async next(scope, last, signal) {
      if (signal.aborted) return "";
      const { promise, resolve } = Promise.withResolvers<Arrived>();
      const one = { scope, last, untilMs: performance.now() + waitMaxMs, wake: resolve };
      const abort = (): void => resolve("");
      waiting.add(one);
      signal.addEventListener("abort", abort);
      if (!isLooking) void look();
      try {
        return await promise;
      } finally {
        waiting.delete(one);
        signal.removeEventListener("abort", abort);
      }
    },
  };
}

/** It answers when, and nothing of what: tenants are named, and none is told of another. */
async function arrivedLately(
  select: Select,
  asked: readonly Waiting[],
): Promise<(scope: LogScope) => Arrived> {
  const all = (of: (scope: LogScope) => string | readonly string[]): string[] => [
    ...new Set(asked.flatMap(({ scope }) => of(scope))),
  ];
  const rows = await select<Row>(
    `SELECT project_id, environment, service_id, sum(cityHash64(ingested_at, ts, seq, instance_id)) AS arrived
     FROM logs.customer_logs
     WHERE project_id IN {projects:Array(String)} AND environment IN {environments:Array(String)}
       AND service_id IN {services:Array(String)} AND workspace_id IN {workspaces:Array(String)}
       AND ingested_at > now64(3) - INTERVAL ${lookBackSeconds} SECOND
     GROUP BY project_id, environment, service_id`,
    {
      projects: all((scope) => scope.projectId),
      environments: all((scope) => scope.environment),
      services: all((scope) => scope.serviceIds),
      workspaces: all((scope) => scope.workspaceId),
    },
  );
  const keyOf = (projectId: string, environment: string, serviceId: string): string =>
    JSON.stringify([projectId, environment, serviceId]);
  const known = new Map(
    rows.map((row) => [keyOf(row.project_id, row.environment, row.service_id), row.arrived]),
  );
  return ({ projectId, environment, serviceIds }) =>
    serviceIds.map((id) => known.get(keyOf(projectId, environment, id)) ?? "").join();
}
