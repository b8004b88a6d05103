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
  readonly row_hash: string;
};

/** `row_hash` tells lines of one time and number apart; lines equal in everything are one line, sent twice. */
export const logColumns = `toUnixTimestamp64Milli(ts) AS ts_ms, service_id, level, stream, message, seq, instance_id, deployment_id, build_id, attributes,
  cityHash64(service_id, instance_id, deployment_id, build_id, stream, level, message, attributes) AS row_hash`;

export const keyOf = (row: LogRow): string => `${row.ts_ms}/${row.seq}/${row.row_hash}`;

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

/** The order of lines: by time, then as their writer numbered them. */
export const inOrder = (a: LogRow, b: LogRow): number =>
  Number(a.ts_ms) - Number(b.ts_ms) || Number(a.seq) - Number(b.seq) || (a.row_hash < b.row_hash ? -1 : 1);
