import type { LogFilter, LogScope } from "../../ports/log-store.ts";

/** A condition and the values of its placeholders. */
export type Condition = { readonly sql: string; readonly params: Readonly<Record<string, unknown>> };

/**
 * The one place where a condition on customers' logs is made. The tenant comes first and from the scope alone; the
 * rest is joined by AND, and every value is a parameter: no text of a request can become SQL or widen the scope.
 */
export function conditionOf(scope: LogScope, filter: LogFilter): Condition {
  const conditions = [
    "project_id = {project_id:String}",
    "environment = {environment:String}",
    scope.serviceIds.length === 1
      ? "service_id = {service_id:String}"
      : "service_id IN {service_ids:Array(String)}",
    "workspace_id = {workspace_id:String}",
    "ts >= fromUnixTimestamp64Milli({kept_since:Int64}, 'UTC')",
  ];
  const params: Record<string, unknown> = {
    project_id: scope.projectId,
    environment: scope.environment,
    workspace_id: scope.workspaceId,
    kept_since: scope.keptSince.getTime(),
    ...(scope.serviceIds.length === 1
      ? { service_id: scope.serviceIds[0] }
      : { service_ids: scope.serviceIds }),
  };
  const narrow = (sql: string, more: Record<string, unknown>): void => {
    conditions.push(sql);
    Object.assign(params, more);
  };
  if (filter.since)
    narrow("ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')", { since: filter.since.getTime() });
  if (filter.until)
    narrow("ts < fromUnixTimestamp64Milli({until:Int64}, 'UTC')", { until: filter.until.getTime() });
  if (filter.levels) narrow("level IN {levels:Array(String)}", { levels: filter.levels });
  if (filter.streams) narrow("stream IN {streams:Array(String)}", { streams: filter.streams });
  if (filter.deploymentId !== undefined)
    narrow("deployment_id = {deployment_id:String}", { deployment_id: filter.deploymentId });
  if (filter.buildId !== undefined) narrow("build_id = {build_id:String}", { build_id: filter.buildId });
  if (filter.text !== undefined && filter.text !== "") {
    const text = filter.text.toWellFormed();
    // `lower` knows ASCII alone, and the index is made of it, four letters at a time. For other text it can only say
    // where not to look, by the longest part in ASCII.
    const isAscii = /^[\x20-\x7E]+$/.test(text);
    const part = isAscii ? text : longestAscii(text);
    if (!isAscii) narrow("positionCaseInsensitiveUTF8(message, {text:String}) > 0", { text });
    if (isAscii || part.length >= 4)
      narrow("lower(message) LIKE {part:String}", { part: `%${likeOf(part)}%` });
  }
  return { sql: conditions.join(" AND "), params };
}

/** The longest run of printable ASCII in a text. */
const longestAscii = (text: string): string =>
  (text.match(/[\x20-\x7E]+/g) ?? []).reduce(
    (longest, run) => (run.length > longest.length ? run : longest),
    "",
  );

/** Lower case, with what LIKE would read as a pattern taken literally. */
const likeOf = (text: string): string => text.toLowerCase().replace(/[\\%_]/g, "\\$&");
