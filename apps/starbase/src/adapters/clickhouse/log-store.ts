import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { rowOf } from "@starform/log-shipper/log-line";
import { Fault, isFault } from "@starform/std/fault";
import type { LogStore } from "../../ports/log-store.ts";
import { ensureLogSchema } from "./log-schema.ts";
import { cursorOf, pageQuery } from "./log-page.ts";
import { toLogEntry, type LogRow } from "./log-rows.ts";
import { tailRows, type Select } from "./log-tail.ts";

export type ClickhouseLogStore = LogStore & AsyncDisposable;

/** Logs in ClickHouse, or in the telemetry process that speaks like it. */
export function clickhouseLogStore({
  url,
  user,
  password,
}: {
  url: string;
  user: string;
  password: string;
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
  const page: (...question: Parameters<LogStore["search"]>) => Promise<LogRow[]> = async (
    scope,
    filter,
    { limit, cursor },
  ) => {
    if (scope.serviceIds.length === 0) return [];
    const { sql, params } = pageQuery(scope, filter, limit, cursor);
    return select<LogRow>(sql, params);
  };
  const reached = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => refuse(error));

  return {
    ensureSchema: () => reached(ensureLogSchema(client)),
    last: async (scope, filter, limit) =>
      (await reached(page(scope, filter, { limit }))).map(toLogEntry).toReversed(),
    async search(scope, filter, asked) {
      const rows = await reached(page(scope, filter, { ...asked, limit: asked.limit + 1 }));
      const entries = rows.slice(0, asked.limit);
      const oldest = entries.at(-1);
      return {
        entries: entries.map(toLogEntry).toReversed(),
        ...(rows.length > asked.limit && oldest ? { nextCursor: cursorOf(oldest) } : {}),
      };
    },
    async *tail(scope, { backlog = 0, ...filter }, signal) {
      if (scope.serviceIds.length === 0) return;
      const history = async () => (backlog > 0 ? page(scope, filter, { limit: backlog }) : []);
      try {
        for await (const rows of tailRows(select, scope, filter, history, signal)) yield rows.map(toLogEntry);
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
