import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { rowOf } from "@starform/log-shipper/log-line";
import { Fault, isFault } from "@starform/std/fault";
import type { LogFilter, LogScope, LogStore } from "../../ports/log-store.ts";
import { openArrivals } from "./arrivals.ts";
import { ensureLogSchema } from "./log-schema.ts";
import { cursorOf, isTie, pageQuery, tiesQuery, type PageQuestion } from "./log-page.ts";
import { inOrder, toLogEntry, type LogRow } from "./log-rows.ts";
import { quietAfterMs, tailColumns, tailRows, type TailRow } from "./log-tail.ts";
import type { Select } from "./select.ts";

export type ClickhouseLogStore = LogStore & AsyncDisposable;

/** Logs in ClickHouse, or in the telemetry process that speaks like it. `quietMs`: see `quietAfterMs`. */
export function clickhouseLogStore({
  url,
  user,
  password,
  quietMs = quietAfterMs,
}: {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly quietMs?: number;
}): ClickhouseLogStore {
  const client = createClient({
    url,
    username: user,
    password,
    application: "starform",
    max_open_connections: 64,
    request_timeout: 30_000,
    keep_alive: { idle_socket_ttl: 5_000 },
    log: { level: ClickHouseLogLevel.OFF },
  });
  const select: Select = async (query, query_params, abort_signal) => {
    const answer = await client.query({
      query,
      query_params: { ...query_params },
      format: "JSONEachRow",
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
      ...(abort_signal ? { abort_signal } : {}),
    });
    return answer.json();
  };
  const arrivals = openArrivals(select);
  const newest = async <Row extends LogRow = LogRow>(
    scope: LogScope,
    filter: LogFilter,
    question: PageQuestion,
  ): Promise<Row[]> => {
    if (scope.serviceIds.length === 0) return [];
    const { sql, params } = pageQuery(scope, filter, question);
    return (await select<Row>(sql, params)).sort(inOrder);
  };
  /** Oldest first; longer than asked for only where lines of one time and number lie across its edge. */
  const page = async (scope: LogScope, filter: LogFilter, { limit, cursor }: PageQuestion) => {
    const rows = await newest(scope, filter, { limit: limit + 1, cursor });
    if (rows.length <= limit) return { rows };
    const [beyond, oldest] = rows as [LogRow, LogRow, ...LogRow[]];
    const nextCursor = cursorOf(oldest);
    if (!isTie(beyond, oldest)) return { rows: rows.slice(1), nextCursor };
    const ties = tiesQuery(scope, filter, oldest);
    const tied = await select<LogRow>(ties.sql, ties.params);
    return { rows: [...tied, ...rows.filter((row) => !isTie(row, oldest))].sort(inOrder), nextCursor };
  };
  const reached = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => refuse(error));

  return {
    ensureSchema: () => reached(ensureLogSchema(client)),
    last: async (scope, filter, limit) => (await reached(newest(scope, filter, { limit }))).map(toLogEntry),
    async search(scope, filter, asked) {
      const { rows, nextCursor } = await reached(page(scope, filter, asked));
      return { entries: rows.map(toLogEntry), ...(nextCursor ? { nextCursor } : {}) };
    },
    async *tail(scope, { backlog = 0, ...filter }, signal) {
      if (scope.serviceIds.length === 0) return;
      const history = async () =>
        backlog > 0 ? newest<TailRow>(scope, filter, { limit: backlog, columns: tailColumns }) : [];
      try {
        const options = { backlog: history, arrivals, quietAfterMs: quietMs };
        for await (const rows of tailRows(select, scope, filter, options, signal)) yield rows.map(toLogEntry);
      } catch (error) {
        if (!signal.aborted) refuse(error);
      }
    },
    async append(lines) {
      const values = lines.map((line) => JSON.parse(rowOf(line)) as unknown);
      await reached(
        client.insert({
          table: "logs.customer_logs",
          values,
          format: "JSONEachRow",
          clickhouse_settings: { async_insert: 0 },
        }),
      );
    },
    async deleteBefore(workspaceIds, before) {
      const where =
        "workspace_id IN {ids:Array(String)} AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')";
      const params = { ids: workspaceIds, before: before.getTime() };
      // Most days there is nothing: a look costs less than a mutation of every part.
      const found = select(`SELECT 1 FROM logs.customer_logs WHERE ${where} LIMIT 1`, params);
      if ((await reached(found)).length === 0) return;
      await reached(
        client.command({
          query: `DELETE FROM logs.customer_logs WHERE ${where}`,
          query_params: params,
          clickhouse_settings: { lightweight_deletes_sync: "2" },
        }),
      );
    },
    async deleteProject(workspaceId, projectId) {
      await reached(
        client.command({
          query:
            "DELETE FROM logs.customer_logs WHERE project_id = {project_id:String} AND workspace_id = {workspace_id:String}",
          query_params: { project_id: projectId, workspace_id: workspaceId },
          clickhouse_settings: { lightweight_deletes_sync: "2" },
        }),
      );
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A question the store understood and refused is ours to mend; anything else is the store being away. */
function refuse(error: unknown): never {
  if (isFault(error)) throw error;
  if (error instanceof ClickHouseError && error.code !== "202") throw error;
  throw new Fault(
    "unavailable",
    "the log store cannot be reached just now; the lines are kept and will be there when it is back. Try again in a few seconds.",
    {
      cause: error,
      detail: { error: String(error) },
    },
  );
}
