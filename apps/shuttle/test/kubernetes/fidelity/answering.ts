import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { KubeAccess } from "@starform/kubernetes/connection";
import { kubeconfigConnection } from "@starform/kubernetes/kubeconfig-connection";
import type { Asking } from "./request.ts";

type Json = Record<string, unknown>;
export type Answered = {
  readonly status: number;
  readonly warnings: readonly string[];
  readonly body: unknown;
};

const patternOf = /\{([\w-]+)\.(uid|rv|continue)\}/g;

/** Plays requests to one API server and puts into each what its earlier answers said. */
export async function openAnswering(access: Extract<KubeAccess, object>) {
  const connection = await kubeconfigConnection(access as { kubeconfigFile: string });
  const known = new Map<string, string>();
  const filled = (text: string, ns: string): string =>
    text
      .replaceAll("{ns}", ns)
      .replaceAll(patternOf, (_, name: string, field: string) => known.get(`${name}.${field}`) ?? "");
  const learn = ({ as }: Asking, body: unknown): void => {
    const { uid, resourceVersion, continue: next } = ((body as Json | undefined)?.["metadata"] ?? {}) as Json;
    if (as === undefined) return;
    known.set(`${as}.uid`, String(uid));
    known.set(`${as}.rv`, String(resourceVersion));
    known.set(`${as}.continue`, String(next));
  };

  async function ask(asking: Asking, ns: string): Promise<Answered> {
    const { method, path, query = "", body, headers = {}, events } = asking;
    const url = new URL(connection.url.pathname.replace(/\/$/, "") + filled(path, ns), connection.url);
    url.search = filled(query, ns);
    const text =
      body === undefined ? undefined : filled(typeof body === "string" ? body : JSON.stringify(body), ns);
    const { agent, headers: own } = await connection.route();
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method,
        agent,
        headers: {
          accept: "application/json",
          // The editor's name in managedFields is the first word of it.
          "user-agent": "editor",
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
          ...headers,
          ...own,
        },
      });
      request.on("error", reject);
      request.on("response", (response) => {
        const chunks: string[] = [];
        const end = (): void => {
          const { statusCode: status = 0, headersDistinct } = response;
          const said = chunks.join("");
          const answer = events && status === 200 ? linesOf(said).slice(0, events) : parsed(said);
          learn(asking, answer);
          resolve({ status, warnings: (headersDistinct["warning"] ?? []).map(unquoted), body: answer });
        };
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          chunks.push(chunk);
          if (!events || linesOf(chunks.join("")).length < events) return;
          response.removeAllListeners("end");
          response.on("error", () => undefined);
          response.destroy();
          end();
        });
        response.on("end", end);
        response.on("error", reject);
      });
      request.end(text);
    });
  }
  return { ask, [Symbol.dispose]: () => connection[Symbol.dispose]() };
}
export type Answering = Awaited<ReturnType<typeof openAnswering>>;

/** `299 - "text"`, as the header carries a warning. */
const unquoted = (warning: string): string => JSON.parse(warning.replace(/^\d+ \S+ /, "")) as string;
const linesOf = (text: string): unknown[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
