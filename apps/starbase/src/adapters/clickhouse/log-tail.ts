import { ClickHouseError } from "@clickhouse/client";
import { pause } from "@starform/std/retry";
import type { LogFilter, LogScope } from "../../ports/log-store.ts";
import type { Arrivals, Arrived } from "./arrivals.ts";
import { conditionOf } from "./log-filter.ts";
import { inOrder, logColumns, type LogRow } from "./log-rows.ts";
import type { Select } from "./select.ts";

/** A row that can be told from every other: lines equal in everything, time and number included, are one line. */
export type TailRow = LogRow & { readonly row_hash: string; readonly ingested_ms: string };
export const tailColumns = `${logColumns}, toUnixTimestamp64Milli(ingested_at) AS ingested_ms,
  cityHash64(service_id, instance_id, deployment_id, build_id, stream, level, message, attributes) AS row_hash`;
const keyOf = (row: TailRow): string => `${row.ts_ms}/${row.seq}/${row.row_hash}`;

const pollMs = 75;
/** Each poll looks back this far, because an insert that began earlier may become visible later; more on a slow store. */
const [overlapMinMs, overlapMaxMs] = [500, 5_000];
/** Now and then the number of rows of this long is compared with what was seen, for inserts that took even longer. */
const sweepBackMs = 15_000;
const sweepEveryMs = 500;
const rowsMax = 20_000;
/** A tail that had nothing for so long waits with all others until something came. */
export const quietAfterMs = 5_000;
/** How long the store may be away before a tail gives up. */
const outageMaxMs = 60_000;

export type TailOptions = {
  /** The rows of before. */
  readonly backlog: () => Promise<TailRow[]>;
  readonly arrivals: Arrivals;
  readonly quietAfterMs: number;
};

/**
 * Rows as they become visible, each once. It follows `ingested_at`, the store's own clock at the insert: the time of a
 * line says nothing about when it arrives. Rows already visible at the start are history and do not appear, except
 * those `backlog` gives.
 */
export async function* tailRows(
  select: Select,
  scope: LogScope,
  filter: LogFilter,
  { backlog, arrivals, quietAfterMs }: TailOptions,
  signal: AbortSignal,
): AsyncGenerator<TailRow[]> {
  const { sql: condition, params } = conditionOf(scope, filter);
  const seen = new Map<string, number>();
  let [horizonMs, overlapMs, isFirst] = [0, overlapMinMs, true];
  const arrivedAfter = (ms: number): Promise<TailRow[]> =>
    select<TailRow>(
      `SELECT ${tailColumns} FROM logs.customer_logs
       WHERE ${condition} AND ingested_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') ORDER BY ingested_at, ts, seq LIMIT {rows:UInt32}`,
      { ...params, after: Math.floor(ms), rows: rowsMax },
      signal,
    );
  const unseen = (rows: readonly TailRow[]): TailRow[] =>
    rows.filter((row) => {
      const key = keyOf(row);
      if (seen.has(key)) return false;
      const ingestedMs = Number(row.ingested_ms);
      seen.set(key, ingestedMs);
      // The store showed it this much later than one that arrived after it: it may do so again.
      if (!isFirst) overlapMs = Math.min(overlapMaxMs, Math.max(overlapMs, 2 * (horizonMs - ingestedMs)));
      return true;
    });
  const countArrived = async (from: number, to: number) => {
    const [row] = await select<{ rows: string; now_ms: string }>(
      `SELECT count() AS rows, toUnixTimestamp64Milli(now64(3)) AS now_ms FROM logs.customer_logs
       WHERE ${condition} AND ingested_at > fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ingested_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
      { ...params, from: Math.floor(from), to: Math.floor(to) },
      signal,
    );
    return { rows: Number(row?.rows ?? 0), nowMs: Number(row?.now_ms ?? to) };
  };

  horizonMs = (await countArrived(0, 0)).nowMs;
  unseen(await arrivedAfter(horizonMs - sweepBackMs));
  const first = await backlog();
  for (const row of first) seen.set(keyOf(row), horizonMs);
  if (first.length > 0) yield first.toSorted(inOrder);

  isFirst = false;
  let isFull = false;
  let sweptAt = performance.now();
  const poll = async (): Promise<TailRow[]> => {
    const rows = await arrivedAfter(isFull ? horizonMs - 1 : horizonMs - overlapMs);
    isFull = rows.length === rowsMax;
    overlapMs = Math.max(overlapMinMs, overlapMs * 0.998);
    const fresh = unseen(rows);
    horizonMs = Math.max(horizonMs, Number(rows.at(-1)?.ingested_ms ?? 0));
    return fresh;
  };
  const sweep = async (): Promise<TailRow[]> => {
    sweptAt = performance.now();
    const [from, to] = [horizonMs - sweepBackMs, Math.floor(horizonMs - overlapMs)];
    const { rows, nowMs } = await countArrived(from, to);
    let known = 0;
    for (const [key, ms] of seen)
      if (ms > from && ms <= to) known += 1;
      else if (ms <= from - sweepBackMs) seen.delete(key);
    // A clock that was set back would otherwise hide every new line until it has caught up.
    if (nowMs < horizonMs - overlapMs) horizonMs = nowMs - sweepBackMs;
    return rows === known ? [] : unseen(await arrivedAfter(from));
  };

  /** What is new to one question; nothing while the store is away, until that has lasted too long. */
  let failingSince: number | undefined;
  const patiently = async (question: () => Promise<TailRow[]>): Promise<TailRow[]> => {
    try {
      const rows = await question();
      failingSince = undefined;
      return rows.sort(inOrder);
    } catch (error) {
      if (!isPassing(error)) throw error;
      failingSince ??= performance.now();
      if (signal.aborted || performance.now() - failingSince < outageMaxMs) return [];
      throw error;
    }
  };
  let lastAtMs = performance.now();
  let arrived: Arrived | undefined;
  while (!signal.aborted) {
    // Known before the question: what becomes visible during it counts as new the next time.
    if (!isFull && performance.now() - lastAtMs >= quietAfterMs)
      arrived = await arrivals.next(scope, arrived, signal);
    const startedAt = performance.now();
    // Rows count as seen once they are read: they leave before the next question, which may fail.
    const fresh = await patiently(poll);
    if (fresh.length > 0) yield fresh;
    const late = startedAt - sweptAt > sweepEveryMs ? await patiently(sweep) : [];
    if (late.length > 0) yield late;
    if (fresh.length + late.length > 0) lastAtMs = performance.now();
    if (!isFull) await pause(Math.max(5, pollMs - (performance.now() - startedAt)), signal);
  }
}

/** Tables still loading, too many questions, memory short: like no answer at all, these mend themselves. */
const passingCodes = new Set(["60", "81", "202", "210", "241"]);
const isPassing = (error: unknown): boolean =>
  !(error instanceof ClickHouseError) || passingCodes.has(error.code);
