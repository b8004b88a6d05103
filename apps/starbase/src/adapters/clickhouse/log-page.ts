import { Fault } from "@starform/std/fault";
import type { LogFilter, LogScope } from "../../ports/log-store.ts";
import { conditionOf, type Condition } from "./log-filter.ts";
import { logColumns, newestFirst, type LogRow } from "./log-rows.ts";

/** Over so many services the parts are not read one by one: a query of that size costs more than a sort. */
const servicesApartMax = 24;

/** The newest rows of the scope, further back than the cursor. */
export function pageQuery(
  scope: LogScope,
  filter: LogFilter,
  limit: number,
  cursor: string | undefined,
): Condition {
  const before = cursor === undefined ? undefined : readCursor(cursor);
  const one = (services: readonly string[], index: number): Condition => {
    const { sql, params } = conditionOf({ ...scope, serviceIds: services }, filter);
    const where = before
      ? `${sql} AND ts <= fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC') AND (toUnixTimestamp64Milli(ts), seq, row_hash) < ({before_ms:Int64}, {before_seq:UInt64}, {before_hash:UInt64})`
      : sql;
    const renamed = where.replace("{service_id:", `{service_id_${index}:`);
    const { service_id, ...rest } = params;
    return {
      sql: `SELECT ${logColumns} FROM logs.customer_logs WHERE ${renamed} ${newestFirst} LIMIT {limit:UInt32}`,
      params: { ...rest, ...(service_id === undefined ? {} : { [`service_id_${index}`]: service_id }) },
    };
  };
  // One service at a time its newest lines are read in the order of the key; several at once would be sorted whole.
  const parts =
    scope.serviceIds.length <= servicesApartMax
      ? scope.serviceIds.map((id, index) => one([id], index))
      : [one(scope.serviceIds, 0)];
  const sql =
    parts.length === 1
      ? parts[0]!.sql
      : `SELECT * FROM (${parts.map((part) => part.sql).join(" UNION ALL ")}) ORDER BY ts_ms DESC, seq DESC, row_hash DESC LIMIT {limit:UInt32}`;
  return {
    sql,
    params: Object.assign({ limit, ...before }, ...parts.map((part) => part.params)) as Record<
      string,
      unknown
    >,
  };
}

export const cursorOf = (row: LogRow): string =>
  Buffer.from(`${row.ts_ms}.${row.seq}.${row.row_hash}`).toString("base64url");

function readCursor(cursor: string): { before_ms: string; before_seq: string; before_hash: string } {
  const [, ms, seq, hash] =
    /^(\d{1,15})\.(\d{1,20})\.(\d{1,20})$/.exec(Buffer.from(cursor, "base64url").toString("latin1")) ?? [];
  if (ms === undefined || seq === undefined || hash === undefined)
    throw new Fault(
      "malformed",
      "this cursor was not given out by a search of logs: take nextCursor as it came",
    );
  return { before_ms: ms, before_seq: seq, before_hash: hash };
}
