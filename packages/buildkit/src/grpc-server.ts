import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { setImmediate as immediate } from "node:timers/promises";
import type { Duplex } from "node:stream";
import { acceptedEncodings, frame, grpcCode, GrpcError, unframe } from "./grpc-framing.ts";

/** One call from the other side. */
export type ServedCall = {
  /** Every value of a metadata key, in order. */
  metadata(name: string): string[];
  readonly messages: AsyncGenerator<Buffer>;
  /** Queues a message; wait for it, so that a slow reader slows the writer. Rejects when the call is gone. */
  send(message: Uint8Array): Promise<void> | undefined;
  /** As `send`, for a message that already has its frame around it. */
  sendFramed(framed: Buffer): Promise<void> | undefined;
  /** For who works long between two messages. */
  throwIfGone(): void;
};

export type Handler = (call: ServedCall) => Promise<void>;

const batchBytes = 128 * 1024;
const emptyMessage = Buffer.alloc(0);

/** A handler of a call with one message and one answer. */
export const answer =
  (reply: (message: Buffer) => Uint8Array | Promise<Uint8Array>): Handler =>
  async (call) => {
    for await (const message of call.messages) {
      await call.send(await reply(message));
      return;
    }
    await call.send(await reply(emptyMessage));
  };

/** Serves gRPC over one connected byte stream; paths without a handler answer UNIMPLEMENTED. */
export function serveGrpc(socket: Duplex, handlers: Readonly<Record<string, Handler>>): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    maxSessionMemory: 64,
    settings: { initialWindowSize: 1 << 20 },
  });
  session.on("error", () => undefined);
  session.on("stream", (stream, headers, _flags, rawHeaders) => {
    void serveCall(stream, headers, rawHeaders as unknown as string[], handlers);
  });
  return session;
}

async function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
  handlers: Readonly<Record<string, Handler>>,
): Promise<void> {
  let trailers: Record<string, string> = { "grpc-status": "0" };
  stream.on("error", () => undefined);
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  const head = { "content-type": "application/grpc", "grpc-accept-encoding": acceptedEncodings };
  stream.respond({ ":status": 200, ...head }, { waitForTrailers: true });
  const out = outbox(stream);
  const handler = handlers[String(headers[":path"])];
  try {
    if (!handler) throw new GrpcError(grpcCode.unimplemented, `unknown method ${String(headers[":path"])}`);
    await handler({ metadata: (name) => valuesOf(rawHeaders, name), messages: unframe(stream), ...out });
    await out.flush();
  } catch (error) {
    trailers = statusOf(error);
  }
  if (!stream.destroyed) stream.end();
}

function statusOf(error: unknown): Record<string, string> {
  const code = error instanceof GrpcError ? error.code : 2;
  const message = error instanceof Error ? error.message : String(error);
  return { "grpc-status": String(code), "grpc-message": encodeURIComponent(message) };
}

/** Node joins repeated headers into one text; the raw list keeps them apart. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  let isEncoded = false;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at] === name) values.push(rawHeaders[at + 1] ?? "");
    if (rawHeaders[at] === `${name}-encoded`) isEncoded = true;
  }
  // Newer daemons escape values outside of ASCII the way a query string does.
  return isEncoded ? values.map((value) => decodeURIComponent(value.replaceAll("+", " "))) : values;
}

/** Small messages leave together: a tree of 20,000 files would otherwise be 20,000 writes. */
function outbox(stream: ServerHttp2Stream) {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let scheduled: Promise<void> | undefined;
  let draining: Promise<void> | undefined;
  const throwIfGone = (): void => {
    if (stream.destroyed) throw new GrpcError(grpcCode.cancelled, "the other side ended the call");
  };
  const write = (batch: Buffer): Promise<void> | undefined => {
    throwIfGone();
    if (stream.write(batch)) return undefined;
    return (draining ??= drained(stream).finally(() => (draining = undefined)));
  };
  const flush = async (): Promise<void> => {
    const batch = waiting.length === 1 ? waiting[0] : Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
    if (batch && batch.length > 0) await write(batch);
  };
  const sendFramed = (framed: Buffer): Promise<void> | undefined => {
    waiting.push(framed);
    bytes += framed.length;
    if (bytes >= batchBytes) return flush();
    scheduled ??= immediate().then(() => {
      scheduled = undefined;
      return stream.destroyed ? undefined : flush();
    });
    return undefined;
  };
  return { flush, throwIfGone, sendFramed, send: (message: Uint8Array) => sendFramed(frame(message)) };
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off("drain", settle).off("close", settle);
      if (stream.destroyed) reject(new GrpcError(grpcCode.cancelled, "the other side ended the call"));
      else resolve();
    };
    stream.on("drain", settle).on("close", settle);
  });
}
