import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { bindParameters } from "./bind-parameters.ts";
import { asEngineError, EngineError } from "./engine-error.ts";
import type { Engine } from "./engine.ts";
import type { SampleTable } from "./metrics/sample-table.ts";
import { authenticate, bodyReader, engineRequestOf, type EngineRequest } from "./request.ts";
import { rawInsertOf, statementOf } from "./statement.ts";

export type HttpInterfaceOptions = {
  readonly password: string | undefined;
  /** Takes metrics at the path that VictoriaMetrics has for them. */
  readonly samples: SampleTable;
  readonly bodyBytesMax?: number;
  readonly bodyBytesTogetherMax?: number;
};

/** Answers ClickHouse's HTTP interface out of the engine; never throws. */
export function httpInterface(engine: Engine, options: HttpInterfaceOptions) {
  const readBody = bodyReader({
    bytesMax: options.bodyBytesMax ?? 64 << 20,
    bytesTogetherMax: options.bodyBytesTogetherMax ?? 192 << 20,
  });

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const path = (request.url ?? "/").split("?")[0];
      if (path === "/ping") return plain(response, "Ok.\n");
      authenticate(request, options.password);
      if (path === "/api/v1/import/prometheus" && request.method === "POST") {
        const { body, release } = await readBody(request);
        await options.samples.take(body.toString("utf8"), Date.now()).finally(release);
        return plain(response, "");
      }
      if (path !== "/" || !["GET", "HEAD", "POST"].includes(request.method ?? ""))
        throw new EngineError(
          1,
          "UNSUPPORTED_METHOD",
          `There is no ${request.method} ${path}: send SQL to POST /`,
          404,
        );
      const asked = engineRequestOf(request);
      if (request.method !== "POST" && asked.query === "") return plain(response, "Ok.\n");
      const { body, release } = await readBody(request);
      try {
        await answer(engine, asked, body, request.method === "POST", response);
      } finally {
        release();
      }
    } catch (error) {
      refuse(request, response, asEngineError(error));
    }
  };
}

async function answer(
  engine: Engine,
  asked: EngineRequest,
  body: Buffer,
  mayWrite: boolean,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("x-clickhouse-query-id", asked.queryId ?? randomUUID());
  const work = { database: asked.database };
  const insert = asked.query === "" ? undefined : rawInsertOf(asked.query, asked.settings);
  if (insert) {
    if (!mayWrite) throw readOnly();
    const { rows, bytes } =
      body.length === 0 ? { rows: 0, bytes: 0 } : await engine.insert(insert, body, work);
    return plain(response, "", { written_rows: rows, written_bytes: bytes });
  }

  const sql = [asked.query, body.toString("utf8")].filter((part) => part !== "").join("\n");
  const statement = statementOf(bindParameters(sql, asked.parameters), asked.settings, asked.defaultFormat);
  response.setHeader("x-clickhouse-format", statement.format);
  if (statement.kind === "read")
    return stream(engine.read(statement.sql, statement.format, work), asked.wantsGzip, response);
  if (!mayWrite && !statement.isReadOnly) throw readOnly();
  const { bytes, rowsRead, bytesRead } = await engine.run(statement.sql, statement.format, work);
  plain(response, bytes, { read_rows: rowsRead, read_bytes: bytesRead });
}

const readOnly = (): EngineError =>
  new EngineError(164, "READONLY", "A GET request may only read: send this statement with POST");

/** The head leaves with the first piece, so that a statement which fails at once still gets its status. */
async function stream(
  pieces: AsyncIterable<Uint8Array>,
  wantsGzip: boolean,
  response: ServerResponse,
): Promise<void> {
  const reader = pieces[Symbol.asyncIterator]();
  try {
    const first = await reader.next();
    response.setHeader("content-type", "text/plain; charset=UTF-8");
    if (wantsGzip) response.setHeader("content-encoding", "gzip");
    const rest = Readable.from(piecesFrom(first, reader), { objectMode: false });
    await (wantsGzip ? pipeline(rest, createGzip({ level: 1 }), response) : pipeline(rest, response));
  } finally {
    // Also when the asker went away before the first piece: the statement's place must be free again.
    await reader.return?.();
  }
}

async function* piecesFrom(
  first: IteratorResult<Uint8Array>,
  reader: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  for (let piece = first; !piece.done; piece = await reader.next()) yield piece.value;
}

function plain(
  response: ServerResponse,
  body: string | Uint8Array,
  summary: Record<string, number> = {},
): void {
  const text = Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, String(value)]));
  response.writeHead(200, {
    "content-type": "text/plain; charset=UTF-8",
    "content-length": Buffer.byteLength(body),
    "x-clickhouse-summary": JSON.stringify({ ...emptySummary, ...text }),
  });
  response.end(body);
}
const emptySummary = {
  read_rows: "0",
  read_bytes: "0",
  written_rows: "0",
  written_bytes: "0",
  result_rows: "0",
  elapsed_ns: "0",
};

function refuse(request: IncomingMessage, response: ServerResponse, error: EngineError): void {
  // An answer that has begun cannot turn into an error: cutting it off is the only truthful end.
  if (response.headersSent) return void response.destroy();
  for (const name of response.getHeaderNames())
    if (name !== "x-clickhouse-query-id") response.removeHeader(name);
  const isBodyUnread = !request.complete;
  response.writeHead(error.status, {
    "content-type": "text/plain; charset=UTF-8",
    "x-clickhouse-exception-code": String(error.code),
    ...(error.status === 401 ? { "www-authenticate": 'Basic realm="telemetry"' } : {}),
    ...(isBodyUnread ? { connection: "close" } : {}),
  });
  response.end(`${error.message}\n`);
  if (isBodyUnread) request.resume();
}
