import { pause } from "@starform/std/retry";
import type { LogFilter, LogScope } from "../../ports/log-store.ts";
import { conditionOf } from "./log-filter.ts";
import { inOrder, keyOf, logColumns, type LogRow } from "./log-rows.ts";

type TailRow = LogRow & { readonly ingested_ms: string };
/** Runs a query and answers its rows. */
export type Select = <Row>(
  sql: string,
  params: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
) => Promise<Row[]>;

const pollMs = 75;
/** Each poll looks back this far, because an insert that began earlier may become visible later. */
const overlapMs = 500;
/** Once a second the number of rows of this long is compared with what was seen, for inserts that took even longer. */
const sweepBackMs = 15_000;
const sweepEveryMs = 1_000;
const rowsMax = 20_000;
/** How long the store may be away before a tail gives up. */
const outageMaxMs = 60_000;

/**
 * Rows as they become visible, each once. It follows `ingested_at`, the store's own clock at the insert: the time of a
 * line says nothing about when it arrives. Rows already visible at the start are history and do not appear, except
 * those `backlog` gives.
 */
export async function* tailRows(
  select: Select,
  scope: LogScope,
  filter: LogFilter,
  backlog: () => Promise<LogRow[]>,
  signal: AbortSignal,
): AsyncGenerator<LogRow[]> {
  const { sql: condition, params } = conditionOf(scope, filter);
  const seen = new Map<string, number>();
  const arrivedAfter = (ms: number, options = ""): Promise<TailRow[]> =>
    select<TailRow>(
      `SELECT ${logColumns}, toUnixTimestamp64Milli(ingested_at) AS ingested_ms FROM logs.customer_logs
       WHERE ${condition} AND ingested_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') ${options} ORDER BY ingested_at, ts, seq LIMIT {rows:UInt32}`,
      { ...params, after: ms, rows: rowsMax },
      signal,
    );
  const unseen = (rows: readonly TailRow[]): TailRow[] =>
    rows.filter((row) => {
      const isNew = !seen.has(keyOf(row));
      seen.set(keyOf(row), Number(row.ingested_ms));
      return isNew;
    });
  const countArrived = async (from: number, to: number) => {
    const [row] = await select<{ rows: string; now_ms: string }>(
      `SELECT count() AS rows, toUnixTimestamp64Milli(now64(3)) AS now_ms FROM logs.customer_logs
       WHERE ${condition} AND ingested_at > fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ingested_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
      { ...params, from, to },
      signal,
    );
    return { rows: Number(row?.rows ?? 0), nowMs: Number(row?.now_ms ?? to) };
  };

  let horizonMs = (await countArrived(0, 0)).nowMs;
  unseen(await arrivedAfter(horizonMs - sweepBackMs));
  const first = await backlog();
  for (const row of first) seen.set(keyOf(row), horizonMs);
  if (first.length > 0) yield first.toSorted(inOrder);

  let isFull = false;
  let sweptAt = performance.now();
  const poll = async (): Promise<TailRow[]> => {
    const rows = await arrivedAfter(isFull ? horizonMs - 1 : horizonMs - overlapMs);
    isFull = rows.length === rowsMax;
    horizonMs = Math.max(horizonMs, Number(rows.at(-1)?.ingested_ms ?? 0));
    return unseen(rows);
  };
  const sweep = async (): Promise<TailRow[]> => {
    sweptAt = performance.now();
    const [from, to] = [horizonMs - sweepBackMs, horizonMs - overlapMs];
    const { rows, nowMs } = await countArrived(from, to);
    let known = 0;
    for (const [key, ms] of seen)
      if (ms > from && ms <= to) known += 1;
      else if (ms <= from - sweepBackMs) seen.delete(key);
    // A clock that was set back would otherwise hide every new line until it has caught up.
    if (nowMs < horizonMs - overlapMs) horizonMs = nowMs - sweepBackMs;
    return rows === known ? [] : unseen(await arrivedAfter(from));
  };

  for (let failingSince: number | undefined; !signal.aborted;) {
    const startedAt = performance.now();
    try {
      const rows = await poll();
      if (startedAt - sweptAt > sweepEveryMs) rows.push(...(await sweep()));
      failingSince = undefined;
      if (rows.length > 0) yield rows.sort(inOrder);
    } catch (error) {
      if (signal.aborted) return;
      failingSince ??= startedAt;
      if (startedAt - failingSince > outageMaxMs) throw error;
    }
    if (!isFull) await pause(Math.max(5, pollMs - (performance.now() - startedAt)), signal);
  }
}
