import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { wordsOf } from "@starform/std/fault";
import type { Connection } from "./connection.ts";
import { KubeError, type KubeStatus } from "./kube-error.ts";

export type KubeRequest = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
};
export type KubeAnswer = { readonly status: number; readonly text: string };

/** A page of 500 whole objects is below 10 MiB; one object at most 3 MiB. What is larger is no honest answer. */
const answerBytesMax = 128 * 2 ** 20;
const lineCharsMax = 16 * 2 ** 20;

type Options = { readonly timeoutMs: number; readonly userAgent: string };
export type Transport = ReturnType<typeof kubeTransport>;

/** HTTP to one API server. Refusals and a server that cannot be reached are KubeError; the caller's own abort is not. */
export function kubeTransport(connection: Connection, { timeoutMs, userAgent }: Options) {
  async function open(what: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { agent, headers } = await connection.route();
    signal.throwIfAborted();
    const url = urlOf(connection.url, what);
    const body = what.body === undefined ? undefined : JSON.stringify(what.body);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: what.method,
        agent,
        signal,
        headers: {
          accept: what.accept ?? "application/json",
          "user-agent": userAgent,
          ...(body === undefined ? {} : { "content-type": what.contentType ?? "application/json" }),
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
          ...headers,
        },
      });
      request.on("response", resolve);
      request.on("error", reject);
      request.end(body);
    });
  }

  return {
    /** The whole answer within the time limit; a status of 400 and above is a KubeError. */
    async call(what: KubeRequest, signal?: AbortSignal): Promise<KubeAnswer> {
      using limit = timeLimit(timeoutMs, signal);
      try {
        const response = await open(what, limit.signal);
        const text = await textOf(response, answerBytesMax);
        const status = response.statusCode ?? 0;
        if (status >= 400) throw refusal(status, text, response.headers["retry-after"]);
        return { status, text };
      } catch (error) {
        throw told(
          error,
          connection.url,
          limit.isOver() ? `no answer within ${timeoutMs / 1_000} s` : undefined,
          signal,
        );
      }
    },
    /** The lines of an answer that goes on, until the server ends it. Silence for `idleMs` ends it with an error. */
    async *lines(what: KubeRequest, idleMs: number, signal: AbortSignal): AsyncGenerator<string> {
      using limit = timeLimit(timeoutMs, signal);
      let response: IncomingMessage | undefined;
      try {
        response = await open(what, limit.signal);
        const status = response.statusCode ?? 0;
        if (status >= 400)
          throw refusal(status, await textOf(response, answerBytesMax), response.headers["retry-after"]);
        limit.renew(idleMs);
        response.setEncoding("utf8");
        let rest = "";
        for await (const chunk of response as AsyncIterable<string>) {
          limit.renew(idleMs);
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          if (rest.length > lineCharsMax) throw new Error("a line of the watch is longer than 16 MiB");
          for (const line of lines) if (line !== "") yield line;
        }
      } catch (error) {
        throw told(error, connection.url, limit.isOver() ? "the watch fell silent" : undefined, signal);
      } finally {
        response?.destroy();
      }
    },
  };
}

/** A signal that fires after a time, or with the caller's; unlike `AbortSignal.any` it leaves nothing behind on the latter. */
function timeLimit(ms: number, outer: AbortSignal | undefined) {
  const own = new AbortController();
  let isOver = false;
  const end = () => {
    isOver = true;
    own.abort();
  };
  let timer = setTimeout(end, ms);
  const follow = () => own.abort(outer?.reason);
  if (outer?.aborted) follow();
  else outer?.addEventListener("abort", follow, { once: true });
  return {
    signal: own.signal,
    isOver: () => isOver,
    renew(nextMs: number): void {
      clearTimeout(timer);
      timer = setTimeout(end, nextMs);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", follow);
    },
  };
}

function urlOf(base: URL, { path, query = {} }: KubeRequest): URL {
  const url = new URL(base.pathname.replace(/\/$/, "") + path, base);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") url.searchParams.set(name, value);
  return url;
}

async function textOf(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer is larger than ${bytesMax / 2 ** 20} MiB`);
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error("the connection ended in the middle of the answer");
  return Buffer.concat(chunks).toString("utf8");
}

/** The server's own Status where it sent one; an unknown path and a proxy's page are plain text. */
function refusal(status: number, text: string, retryAfter: string | undefined): KubeError {
  const body = statusBodyOf(text) ?? {
    message: `${status}: ${text.trim().slice(0, 300) || "no explanation"}`,
  };
  const seconds = Number(retryAfter ?? Number.NaN);
  if (!Number.isFinite(seconds) || body.details?.retryAfterSeconds !== undefined)
    return new KubeError(status, body);
  return new KubeError(status, { ...body, details: { ...body.details, retryAfterSeconds: seconds } });
}

function statusBodyOf(text: string): KubeStatus | undefined {
  try {
    const body = JSON.parse(text) as KubeStatus & { kind?: string };
    return body.kind === "Status" ? body : undefined;
  } catch {
    return undefined;
  }
}

function told(error: unknown, url: URL, late: string | undefined, signal: AbortSignal | undefined): unknown {
  if (error instanceof KubeError) return error;
  if (signal?.aborted) return signal.reason ?? error;
  const why = late ?? wordsOf(error);
  return new KubeError(
    0,
    { reason: "Unreachable", message: `the Kubernetes API server at ${url.host} cannot be reached: ${why}` },
    { cause: error },
  );
}
