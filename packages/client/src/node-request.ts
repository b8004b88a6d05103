import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { broken, silent, unreachable, watched, type HttpAnswer, type Transport } from "./transport.ts";

/** The transport over node:http, for programs that start often: loading fetch costs as much as the whole call. */
export const nodeRequest: Transport = async (input) => {
  const { method, url, headers, body, signal, timeoutMs } = input;
  signal?.throwIfAborted();
  const target = parseUrl(url);
  const { request: open } =
    target.protocol === "https:" ? await import("node:https") : await import("node:http");
  const source = watched(body);
  const options: RequestOptions = {
    method,
    headers: {
      ...headers,
      ...(typeof body === "string" ? { "content-length": Buffer.byteLength(body) } : {}),
    },
    ...(signal ? { signal } : {}),
  };
  return new Promise<HttpAnswer>((resolve, reject) => {
    const request = open(target, options);
    const timer = setTimeout(() => request.destroy(silent(url, timeoutMs)), timeoutMs);
    request.once("response", (response) => {
      clearTimeout(timer);
      response.once("close", () => request.destroy());
      resolve(answerOf(response, input));
    });
    // After the answer has begun the reader tells what breaks; this only keeps the event from ending the process.
    request.on("error", (error) => {
      clearTimeout(timer);
      if (signal?.aborted) reject(signal.reason as Error);
      else if (source.failure) reject(source.failure.error as Error);
      else if (request.reusedSocket && typeof body !== "object" && isReset(error))
        resolve(nodeRequest(input));
      else reject((error as Error).name === "Fault" ? error : unreachable(url, error));
    });
    send(request, source.body);
  });
};

/** A kept connection that the server closed a moment ago: the request never arrived. */
const isReset = (error: Error): boolean => (error as NodeJS.ErrnoException).code === "ECONNRESET";

function send(request: ClientRequest, body: string | AsyncIterable<Uint8Array> | undefined): void {
  if (body === undefined || typeof body === "string") request.end(body);
  // A server may answer before it has read all; whatever fails here is told by the request's own event.
  else pipeline(Readable.from(body), request).catch((error: Error) => request.destroy(error));
}

function answerOf(response: IncomingMessage, { url, signal, idleMs }: Parameters<Transport>[0]): HttpAnswer {
  const told = (error: unknown) => (signal?.aborted ? signal.reason : broken(url, error));
  async function* chunks(): AsyncGenerator<string> {
    response.setEncoding("utf8");
    if (idleMs !== undefined)
      response.setTimeout(idleMs, () => response.destroy(new Error(`silent for ${idleMs / 1_000} s`)));
    try {
      yield* response as AsyncIterable<string>;
    } catch (error) {
      throw told(error);
    }
  }
  return {
    status: response.statusCode ?? 0,
    headers: { get: (name) => response.headers[name.toLowerCase()]?.toString() ?? null },
    chunks,
    async text() {
      let text = "";
      for await (const chunk of chunks()) text += chunk;
      return text;
    },
  };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw unreachable(url, error);
  }
}
