export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogStream = "stdout" | "stderr" | "build" | "http" | "system";

/** One line of one service. `seq` grows with each line of one instance or build, so that equal times keep their order. */
export type LogLine = {
  readonly tsMs: number;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly environment: string;
  readonly serviceId: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly stream: LogStream;
  readonly seq: number;
  readonly deploymentId?: string;
  readonly buildId?: string;
  readonly instanceId?: string;
  readonly attributes?: Record<string, unknown>;
};

/** What is kept of one message, in bytes of UTF-8; the rest is cut with a mark that says how much is missing. */
export const messageBytesMax = 64 * 1024;

/** The row of `logs.customer_logs`, as one line of JSONEachRow without its newline. Never throws. */
export function rowOf(line: LogLine): string {
  return JSON.stringify({
    project_id: line.projectId,
    environment: line.environment,
    service_id: line.serviceId,
    ts: tickOf(line.tsMs),
    level: line.level,
    message: cut(line.message.toWellFormed()),
    workspace_id: line.workspaceId,
    deployment_id: line.deploymentId ?? "",
    build_id: line.buildId ?? "",
    instance_id: line.instanceId ?? "",
    stream: line.stream,
    seq: Number.isSafeInteger(line.seq) && line.seq >= 0 ? line.seq : 0,
    attributes: attributesOf(line.attributes),
  });
}

type Row = { ts: number; seq: number } & Partial<
  Record<
    | "workspace_id"
    | "project_id"
    | "environment"
    | "service_id"
    | "level"
    | "message"
    | "stream"
    | "deployment_id"
    | "build_id"
    | "instance_id"
    | "attributes",
    string
  >
>;

/** The line that a row was made of. */
export function lineOf(row: string): LogLine {
  const r = JSON.parse(row) as Row;
  return {
    tsMs: r.ts,
    workspaceId: r.workspace_id ?? "",
    projectId: r.project_id ?? "",
    environment: r.environment ?? "",
    serviceId: r.service_id ?? "",
    level: (r.level ?? "info") as LogLevel,
    message: r.message ?? "",
    stream: (r.stream ?? "system") as LogStream,
    seq: r.seq,
    ...(r.deployment_id ? { deploymentId: r.deployment_id } : {}),
    ...(r.build_id ? { buildId: r.build_id } : {}),
    ...(r.instance_id ? { instanceId: r.instance_id } : {}),
    ...(r.attributes ? { attributes: JSON.parse(r.attributes) as Record<string, unknown> } : {}),
  };
}

/** DateTime64(3) takes a bare number as milliseconds; a broken clock must not make the row unreadable. */
const tickOf = (tsMs: number): number =>
  Number.isFinite(tsMs) ? Math.min(Math.max(Math.round(tsMs), 0), 7_258_118_399_999) : Date.now();

function cut(message: string): string {
  // Three bytes is the most one UTF-16 unit takes, so short messages need no counting.
  if (message.length * 3 <= messageBytesMax) return message;
  const bytes = Buffer.from(message, "utf8");
  if (bytes.length <= messageBytesMax) return message;
  const kept = bytes
    .subarray(0, messageBytesMax)
    .toString("utf8")
    .replace(/\uFFFD{1,3}$/, "");
  return `${kept} … [cut here: the line was ${bytes.length} bytes, ${messageBytesMax} are kept]`;
}

function attributesOf(attributes: Record<string, unknown> | undefined): string {
  if (!attributes) return "";
  try {
    return JSON.stringify(attributes).toWellFormed();
  } catch (error) {
    return JSON.stringify({ attributesLost: error instanceof Error ? error.message : String(error) });
  }
}
