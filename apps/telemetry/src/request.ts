import { timingSafeEqual, createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";
import { EngineError } from "./engine-error.ts";

/** A request of ClickHouse's HTTP interface, taken apart. */
export type EngineRequest = {
  readonly query: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
  readonly database: string | undefined;
  readonly queryId: string | undefined;
  readonly defaultFormat: string;
  readonly wantsGzip: boolean;
};

/** Meant for the HTTP server, unknown to the engine. */
const notForEngine = new Set([
  "query",
  "database",
  "user",
  "password",
  "quota_key",
  "query_id",
  "session_id",
  "session_timeout",
  "session_check",
  "role",
  "default_format",
  "compress",
  "decompress",
  "stacktrace",
  "buffer_size",
  "wait_end_of_query",
  "send_progress_in_http_headers",
  "enable_http_compression",
  "http_zlib_compression_level",
  "http_response_buffer_size",
  "http_headers_progress_interval_ms",
  "http_native_compression_disable_checksumming_on_decompress",
  "client_protocol_version",
  "http_write_exception_in_output_format",
]);

/** Reads the URL and the headers; the body comes apart, see readBody. */
export function engineRequestOf(request: IncomingMessage): EngineRequest {
  const url = new URL(request.url ?? "/", "http://telemetry");
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams)
    if (name.startsWith("param_")) parameters.set(name.slice("param_".length), value);
    else if (!notForEngine.has(name)) settings.set(name, value);
  const given = (name: string, header: string): string | undefined =>
    url.searchParams.get(name) ?? (request.headers[header] as string | undefined);
  return {
    query: url.searchParams.get("query") ?? "",
    parameters,
    settings,
    database: given("database", "x-clickhouse-database"),
    queryId: url.searchParams.get("query_id") ?? undefined,
    defaultFormat: given("default_format", "x-clickhouse-format") ?? "TabSeparated",
    wantsGzip:
      url.searchParams.get("enable_http_compression") === "1" &&
      /\bgzip\b/.test(request.headers["accept-encoding"] ?? ""),
  };
}

/** Throws AUTHENTICATION_FAILED unless the request carries the password in one of the three ways ClickHouse knows. */
export function authenticate(request: IncomingMessage, password: string | undefined): void {
  if (password === undefined) return;
  const given = passwordIn(request);
  if (given !== undefined && sameSecret(given, password)) return;
  throw new EngineError(
    516,
    "AUTHENTICATION_FAILED",
    given === undefined
      ? "The password is missing: send it as basic authorization or in X-ClickHouse-Key"
      : "The password is wrong",
  );
}

function passwordIn({ headers, url }: IncomingMessage): string | undefined {
  const key = headers["x-clickhouse-key"];
  if (typeof key === "string") return key;
  const basic = /^Basic\s+(.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (basic)
    return Buffer.from(basic, "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, "");
  return new URL(url ?? "/", "http://telemetry").searchParams.get("password") ?? undefined;
}

function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Counts the bytes of all bodies held at once, so that many large requests cannot fill the memory together. */
export function bodyReader({ bytesMax, bytesTogetherMax }: { bytesMax: number; bytesTogetherMax: number }) {
  let together = 0;
  /** The unpacked body; `release` must be called when it is no longer held. */
  return async (request: IncomingMessage): Promise<{ body: Buffer; release: () => void }> => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity" && encoding !== "gzip")
      throw new EngineError(
        1,
        "UNSUPPORTED_METHOD",
        `Bodies in ${encoding} are not understood: send gzip or plain`,
        415,
      );
    const stream = encoding === "gzip" ? request.pipe(createGunzip()) : request;
    if (stream !== request) request.once("error", (error) => stream.destroy(error));
    const chunks: Buffer[] = [];
    let bytes = 0;
    const release = (): void => {
      together -= bytes;
      bytes = 0;
    };
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        together += chunk.length;
        if (bytes > bytesMax)
          throw new EngineError(
            307,
            "TOO_MANY_BYTES",
            `The body is over ${bytesMax >> 20} MiB: send it in smaller inserts`,
            413,
          );
        if (together > bytesTogetherMax)
          throw new EngineError(
            241,
            "MEMORY_LIMIT_EXCEEDED",
            `All bodies together are over ${bytesTogetherMax >> 20} MiB: send again later`,
            503,
          );
        chunks.push(chunk);
      }
      return { body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), release };
    } catch (error) {
      release();
      throw error instanceof EngineError
        ? error
        : new EngineError(210, "NETWORK_ERROR", `The body did not arrive whole: ${String(error)}`, 400);
    }
  };
}
