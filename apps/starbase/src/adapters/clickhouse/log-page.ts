import { Fault } from "@starform/std/fault";
import type { LogFilter, LogScope } from "../../ports/log-store.ts";
import { conditionOf, type Condition } from "./log-filter.ts";
import { logColumns, type LogRow } from "./log-rows.ts";

/** Over so many services the parts are not read one by one: a query of that size costs more than a sort. */
const servicesApartMax = 24;
const tiesMax = 10_000;

export type PageQuestion = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Other columns than those of a row, for a reader that needs more. */
  readonly columns?: string;
};

/**
 * The newest rows of the scope, older than the cursor. The order ends at `seq` because the table's key does: a third
 * column in it made the newest 100 of 1M cost twice as much (66 ms against 30 on a busy machine).
 */
export function pageQuery(
  scope: LogScope,
  filter: LogFilter,
  { limit, cursor, columns = logColumns }: PageQuestion,
): Condition {
  const before = cursor === undefined ? undefined : readCursor(cursor);
  const olderThan = before
    ? ` AND ts <= ${time("before_ms")} AND (ts, seq) < (${time("before_ms")}, {before_seq:UInt64})`
    : "";
  const partOf = (services: readonly string[], index: number): Condition => {
    const { sql, params } = conditionOf({ ...scope, serviceIds: services }, filter);
    const { service_id: id, ...others } = params;
    return {
      sql: `SELECT ${columns} FROM logs.customer_logs WHERE ${sql.replace("{service_id:", `{service_id_${index}:`)}${olderThan} ORDER BY ts DESC, seq DESC LIMIT {limit:UInt32}`,
      params: { ...others, ...(id === undefined ? {} : { [`service_id_${index}`]: id }) },
    };
  };
  // One service at a time its newest lines are read in the order of the key; several at once would be sorted whole.
  const parts =
    scope.serviceIds.length <= servicesApartMax
      ? scope.serviceIds.map((id, index) => partOf([id], index))
      : [partOf(scope.serviceIds, 0)];
  const sql =
    parts.length === 1
      ? parts[0]!.sql
      : `SELECT * FROM (${parts.map((part) => part.sql).join(" UNION ALL ")}) ORDER BY ts_ms DESC, seq DESC LIMIT {limit:UInt32}`;
  const params: Record<string, unknown> = Object.assign(
    { limit, ...before },
    ...parts.map((part) => part.params),
  );
  return { sql, params };
}

/** Every row with the time and number of this one: a page may not end between them, since nothing orders them. */
export function tiesQuery(scope: LogScope, filter: LogFilter, row: LogRow): Condition {
  const { sql, params } = conditionOf(scope, filter);
  return {
    sql: `SELECT ${logColumns} FROM logs.customer_logs WHERE ${sql} AND ts = ${time("tie_ms")} AND seq = {tie_seq:UInt64} LIMIT {limit:UInt32}`,
    params: { ...params, tie_ms: row.ts_ms, tie_seq: row.seq, limit: tiesMax },
  };
}

export const isTie = (a: LogRow, b: LogRow): boolean => a.ts_ms === b.ts_ms && a.seq === b.seq;

export const cursorOf = (row: LogRow): string => Buffer.from(`${row.ts_ms}.${row.seq}`).toString("base64url");

function readCursor(cursor: string): { before_ms: string; before_seq: string } {
  const [, ms, seq] =
    /^(\d{1,15})\.(\d{1,20})$/.exec(Buffer.from(cursor, "base64url").toString("latin1")) ?? [];
  if (ms === undefined || seq === undefined)
    throw new Fault(
      "malformed",
      "this cursor was not given out by a search of logs: take nextCursor as it came",
    );
  return { before_ms: ms, before_seq: seq };
}

const time = (parameter: string): string => `fromUnixTimestamp64Milli({${parameter}:Int64}, 'UTC')`;
