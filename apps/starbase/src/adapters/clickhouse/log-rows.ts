import type { LogEntry } from "../../ports/log-store.ts";

/** A row as the queries of this adapter select it. */
export type LogRow = {
  readonly ts_ms: string;
  readonly service_id: string;
  readonly level: LogEntry["level"];
  readonly stream: LogEntry["stream"];
  readonly message: string;
  readonly seq: string;
  readonly instance_id: string;
  readonly deployment_id: string;
  readonly build_id: string;
  readonly attributes: string;
};

export const logColumns =
  "toUnixTimestamp64Milli(ts) AS ts_ms, service_id, level, stream, message, seq, instance_id, deployment_id, build_id, attributes";

export const toLogEntry = (row: LogRow): LogEntry => ({
  ts: new Date(Number(row.ts_ms)),
  serviceId: row.service_id,
  level: row.level,
  stream: row.stream,
  message: row.message,
  seq: Number(row.seq),
  ...(row.instance_id ? { instanceId: row.instance_id } : {}),
  ...(row.deployment_id ? { deploymentId: row.deployment_id } : {}),
  ...(row.build_id ? { buildId: row.build_id } : {}),
  ...(row.attributes ? { attributes: attributesIn(row.attributes) } : {}),
});

function attributesIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}

/** The order of lines: by time, then as their writer numbered them; the rest only keeps equal ones in one order. */
export const inOrder = (a: LogRow, b: LogRow): number =>
  Number(a.ts_ms) - Number(b.ts_ms) ||
  Number(a.seq) - Number(b.seq) ||
  compare(a.instance_id, b.instance_id) ||
  compare(a.service_id, b.service_id) ||
  compare(a.message, b.message);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
