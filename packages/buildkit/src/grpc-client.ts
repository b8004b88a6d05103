import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import type { Duplex } from "node:stream";
import { BuilderLost } from "./builder-lost.ts";
import { acceptedEncodings, frame, frameGzip, grpcCode, GrpcError, unframe } from "./grpc-framing.ts";
import type { Codec } from "./protocol.ts";

export type Metadata = Readonly<Record<string, string | string[]>>;
export type CallOptions = { readonly metadata?: Metadata; readonly signal?: AbortSignal };

/** A method of a service: its path and how its messages are written. */
export type Method<I, O> = { readonly path: string; readonly input: Codec<I>; readonly output: Codec<O> };

export type GrpcChannel = {
  /** Rejects with GrpcError when the server answers a status, with the signal's reason when aborted. */
  unary<I, O>(method: Method<I, O>, input: Partial<I>, options?: CallOptions): Promise<O>;
  /** Messages until the server ends the call. Rejects as `unary`. */
  stream<I, O>(method: Method<I, O>, input: Partial<I>, options?: CallOptions): AsyncGenerator<O>;
  /** A call whose both directions the caller drives; what it writes it frames with `frame`. */
  open(path: string, options?: CallOptions): ClientHttp2Stream;
  /** Puts one message into the form that this channel's calls travel in. */
  frame(message: Uint8Array): Buffer;
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal;
  close(): void;
};

export type ChannelOptions = {
  /** How requests are compressed, where the other side asked for it. Answers are read either way. */
  readonly encoding?: "gzip";
};

/** Speaks gRPC as the client over one connected byte stream. Rejects when the other side does not speak HTTP/2. */
export async function grpcChannel(socket: Duplex, { encoding }: ChannelOptions = {}): Promise<GrpcChannel> {
  const session = connect("http://buildkit", {
    createConnection: () => socket,
    settings: { initialWindowSize: 1 << 20, enablePush: false },
    maxSessionMemory: 64,
  });
  const closed = new AbortController();
  let isGreeted = false;
  const gone = (cause?: Error): void => closed.abort(isGreeted ? connectionLost(cause) : neverGreeted(cause));
  session.on("error", gone).on("close", () => gone());
  // A TLS error after the handshake (a refused certificate) reaches the socket and not the session.
  socket.on("error", (error) => {
    gone(error);
    session.destroy();
  });
  socket.on("close", () => gone());
  // Node cannot yet be told to end a session in the turn in which it began.
  await untilGreeted(session, closed.signal);
  isGreeted = true;
  const headers = {
    "grpc-accept-encoding": acceptedEncodings,
    ...(encoding && { "grpc-encoding": encoding }),
  };
  const open = (path: string, { metadata, signal }: CallOptions = {}): ClientHttp2Stream =>
    request(session, path, { metadata: { ...headers, ...metadata }, ...(signal && { signal }) });
  const calls: Calls = { open, closed: closed.signal, frame: encoding === "gzip" ? frameGzip : frame };
  return {
    ...calls,
    close: () => session.destroy(),
    async unary(method, input, options = {}) {
      const outputs = await Array.fromAsync(answers(calls, method, input, options));
      if (outputs[0] !== undefined) return outputs[0];
      throw new GrpcError(grpcCode.internal, `${method.path} ended without an answer`);
    },
    stream: (method, input, options = {}) => answers(calls, method, input, options),
  };
}

const greetingMs = 15_000;

function untilGreeted(session: ClientHttp2Session, closed: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BuilderLost(`the builder did not answer within ${greetingMs / 1_000} s: is it BuildKit?`));
      session.destroy();
    }, greetingMs);
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      resolve();
    });
    closed.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(closed.reason as Error);
    });
  });
}

function connectionLost(cause?: Error): Error {
  const why = refusalIn(cause) ?? firstLine(cause);
  return new BuilderLost(`the connection to the builder was lost${why && `: ${why}`}`, { cause });
}

/** One that does not take a certificate says so after both are connected, if at all. */
function neverGreeted(cause?: Error): Error {
  const why = firstLine(cause) || "it closed the connection without a word";
  const words =
    refusalIn(cause) ??
    `${why}. See what it logs: it may refuse this client's certificate, speak TLS only, or be no BuildKit.`;
  return new BuilderLost(`the builder did not let this client in: ${words}`, { cause });
}

const firstLine = (cause?: Error): string => cause?.message.split("\n", 1)[0] ?? "";

function refusalIn(cause?: Error): string | undefined {
  const alert = /\balert ([a-z ]+)/.exec(firstLine(cause))?.[1];
  return (
    alert &&
    `it refused this client's certificate (${alert}). Give one that is valid and signed by an authority that it trusts.`
  );
}

function request(
  session: ClientHttp2Session,
  path: string,
  { metadata = {}, signal }: CallOptions,
): ClientHttp2Stream {
  signal?.throwIfAborted();
  const call = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...metadata,
  });
  const cancel = (): void => call.close(constants.NGHTTP2_CANCEL);
  signal?.addEventListener("abort", cancel, { once: true });
  call.on("close", () => signal?.removeEventListener("abort", cancel));
  call.on("error", () => undefined);
  return call;
}

type Calls = Pick<GrpcChannel, "open" | "closed" | "frame">;

async function* answers<I, O>(
  { open, closed, frame: framed }: Calls,
  method: Method<I, O>,
  input: Partial<I>,
  options: CallOptions,
): AsyncGenerator<O> {
  if (closed.aborted) throw closed.reason;
  const call = open(method.path, options);
  const status = statusOf(call);
  call.end(framed(method.input.encode(input)));
  try {
    for await (const message of unframe(call)) yield method.output.decode(message);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof GrpcError) throw error;
    throw closed.aborted ? closed.reason : connectionLost(error as Error);
  } finally {
    if (!call.closed) call.close(constants.NGHTTP2_CANCEL);
  }
  options.signal?.throwIfAborted();
  throwUnlessOk(await status, closed);
}

function throwUnlessOk(status: IncomingHttpHeaders | undefined, closed: AbortSignal): void {
  if (status === undefined) throw closed.aborted ? closed.reason : connectionLost();
  const code = Number(status["grpc-status"] ?? grpcCode.internal);
  if (code !== 0)
    throw new GrpcError(code, decodeURIComponentSafe(String(status["grpc-message"] ?? `status ${code}`)));
}

/** The headers that hold the status: trailers, or the only headers of an answer without messages. */
function statusOf(call: ClientHttp2Stream): Promise<IncomingHttpHeaders | undefined> {
  return new Promise((resolve) => {
    let first: IncomingHttpHeaders | undefined;
    call.on("response", (headers) => {
      first = headers["grpc-status"] === undefined ? first : headers;
    });
    call.on("trailers", (headers: IncomingHttpHeaders) => resolve(headers));
    call.on("close", () => resolve(first));
  });
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
