import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
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
  const { protocol, hostname, port, pathname } = connection.url;
  const send = protocol === "https:" ? httpsRequest : httpRequest;
  const host = hostname.replace(/^\[|\]$/g, "");
  const base = pathname.replace(/\/$/, "");

  async function open(what: KubeRequest, signal: AbortSignal | undefined): Promise<ClientRequest> {
    const { agent, headers } = await connection.route();
    signal?.throwIfAborted();
    const body = what.body === undefined ? undefined : Buffer.from(JSON.stringify(what.body), "utf8");
    const request = send({
      host,
      port,
      path: base + what.path + queryOf(what),
      method: what.method,
      agent,
      headers: {
        accept: what.accept ?? "application/json",
        "user-agent": userAgent,
        ...(body && {
          "content-type": what.contentType ?? "application/json",
          "content-length": String(body.length),
        }),
        ...headers,
      },
    });
    request.end(body);
    return request;
  }

  return {
    /** The whole answer within the time limit; a status of 400 and above is a KubeError. */
    async call(what: KubeRequest, signal?: AbortSignal): Promise<KubeAnswer> {
      using limit = timeLimit(timeoutMs, signal);
      try {
        const response = await limit.on(await open(what, signal));
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
        response = await limit.on(await open(what, signal));
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

/** Ends a request after a time, or with the caller's signal; a signal for each would cost more than the request itself. */
function timeLimit(ms: number, outer: AbortSignal | undefined) {
  let request: ClientRequest | undefined;
  let isOver = false;
  const end = () => {
    isOver = true;
    request?.destroy();
  };
  let timer = setTimeout(end, ms);
  const follow = () => void request?.destroy();
  outer?.addEventListener("abort", follow, { once: true });
  return {
    /** The request's response, if it comes before. */
    on(opened: ClientRequest): Promise<IncomingMessage> {
      request = opened;
      const response = new Promise<IncomingMessage>((resolve, reject) => {
        opened.once("response", resolve);
        opened.on("error", reject);
      });
      if (isOver || outer?.aborted) opened.destroy();
      return response;
    },
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

function queryOf({ query = {} }: KubeRequest): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

const textOf = (response: IncomingMessage, bytesMax: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > bytesMax)
        response.destroy(new Error(`the answer is larger than ${bytesMax / 2 ** 20} MiB`));
    });
    response.on("end", () => void (response.complete && resolve(Buffer.concat(chunks).toString("utf8"))));
    response.on("error", reject);
    response.on("close", () => reject(new Error("the connection ended in the middle of the answer")));
  });

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
