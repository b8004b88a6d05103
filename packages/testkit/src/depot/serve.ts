import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  callAt,
  ConnectFailure,
  decode,
  encode,
  envelope,
  envelopes,
  statusOf,
  type Call,
  type Json,
} from "./wire.ts";

/** What answers a call: messages in, messages out. One without streams takes one and gives one. */
export type Answer = (asked: {
  readonly messages: AsyncIterable<Json>;
  readonly token: string;
  /** Fires when the caller is gone. */
  readonly gone: AbortSignal;
}) => AsyncIterable<Json>;

/** Serves calls in the Connect protocol over HTTP/2 on loopback, binary, as the vendor's SDK speaks it. */
export async function serveConnect(
  answers: Readonly<Record<string, Answer>>,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session)).on("error", () => undefined);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void serveCall(answers, stream, headers as Record<string, string | undefined>);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      sessions.forEach((session) => session.destroy());
      server.close();
      await once(server, "close");
    },
  };
}

type Headers = Record<string, string | undefined>;

async function serveCall(
  answers: Readonly<Record<string, Answer>>,
  stream: ServerHttp2Stream,
  headers: Headers,
): Promise<void> {
  const type = headers["content-type"] ?? "";
  const isStream = type.startsWith("application/connect+");
  try {
    const call = callAt(headers[":path"] ?? "");
    const answer = call && answers[call.name];
    if (!call || !answer) throw new ConnectFailure("unimplemented", `${headers[":path"]} is not served`);
    if (headers["connect-protocol-version"] !== "1" || !type.endsWith("proto"))
      throw new ConnectFailure("invalid_argument", "not a Connect call with binary messages");
    const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1];
    if (token === undefined) throw new ConnectFailure("unauthenticated", "missing token");
    const gone = new AbortController();
    stream.on("close", () => gone.abort());
    const asked = { messages: messagesOf(call, stream, isStream), token, gone: gone.signal };
    if (isStream) await answerStream(call, stream, answer(asked));
    else await answerUnary(call, stream, answer(asked));
  } catch (error) {
    if (!stream.destroyed) fail(stream, isStream, error);
  }
}

async function* messagesOf(call: Call, stream: ServerHttp2Stream, isStream: boolean): AsyncGenerator<Json> {
  if (isStream) {
    for await (const bytes of envelopes(stream)) yield decode(call.request, bytes);
    return;
  }
  const chunks = await Array.fromAsync(stream as AsyncIterable<Buffer>);
  yield decode(call.request, Buffer.concat(chunks));
}

async function answerUnary(
  call: Call,
  stream: ServerHttp2Stream,
  answers: AsyncIterable<Json>,
): Promise<void> {
  for await (const one of answers) {
    const bytes = encode(call.response, one);
    stream.respond({ ":status": 200, "content-type": "application/proto" });
    stream.end(bytes);
    return;
  }
  throw new ConnectFailure("internal", `${call.name} has no answer`);
}

async function answerStream(
  call: Call,
  stream: ServerHttp2Stream,
  answers: AsyncIterable<Json>,
): Promise<void> {
  for await (const one of answers) {
    const bytes = envelope(encode(call.response, one));
    if (stream.destroyed) return;
    if (!stream.headersSent) stream.respond({ ":status": 200, "content-type": "application/connect+proto" });
    stream.write(bytes);
  }
  if (!stream.destroyed) stream.end(envelope(Buffer.from("{}"), 2));
}

function fail(stream: ServerHttp2Stream, isStream: boolean, error: unknown): void {
  const failure =
    error instanceof ConnectFailure
      ? error
      : new ConnectFailure("internal", error instanceof Error ? error.message : String(error));
  const body = { code: failure.code, message: failure.message };
  if (isStream) {
    // A stream that failed is answered with 200 all the same; its last message says why.
    if (!stream.headersSent) stream.respond({ ":status": 200, "content-type": "application/connect+proto" });
    stream.end(envelope(Buffer.from(JSON.stringify({ error: body })), 2));
    return;
  }
  stream.respond({ ":status": statusOf(failure), "content-type": "application/json" });
  stream.end(JSON.stringify(body));
}
