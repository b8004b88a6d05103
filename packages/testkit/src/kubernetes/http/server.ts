import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { attemptOf, forbiddenTo } from "../access/attempt-of.ts";
import { isAllowed } from "../access/rbac.ts";
import type { SelfSigned } from "@starform/std/self-signed-certificate";
import type { Cluster } from "../cluster.ts";
import { before } from "../faults/apply-fault.ts";
import type { FaultBook } from "../faults/fault-book.ts";
import type { RequestBook } from "../faults/request-book.ts";
import { ApiError } from "../model/api-error.ts";
import type { ApiRequest } from "./api-request.ts";
import { handle } from "./handle.ts";
import { refusal, send } from "./respond.ts";
import { routeOf } from "./route.ts";
import { serveStream } from "./serve-stream.ts";

export type Serving = {
  readonly cluster: Cluster;
  readonly faults: FaultBook;
  readonly requests: RequestBook;
  /** Every answer waits that long, in milliseconds of the machine. */
  readonly latencyMs: number;
  /** The watches and followed logs that are open now. */
  readonly streams: Set<ServerResponse>;
  /** Speaks HTTPS with this key and certificate; plain HTTP without. */
  readonly tls: SelfSigned | undefined;
};

export type Listening = { readonly server: Server; readonly url: string; readonly port: number };

/** Begins to listen on a port of loopback, a free one by default. */
export async function listen(serving: Serving, wanted = 0): Promise<Listening> {
  const { tls } = serving;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response, serving);
  const server = tls
    ? createSecureServer({ key: tls.key, cert: tls.certificate }, onRequest)
    : createServer(onRequest);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(wanted, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `${tls ? "https" : "http"}://127.0.0.1:${port}` };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function keep(response: ServerResponse, { streams }: Serving): void {
  if (response.destroyed) return;
  streams.add(response);
  response.on("close", () => streams.delete(response));
}

const unauthorized = (): ApiError => new ApiError(401, { reason: "Unauthorized", message: "Unauthorized" });

function requestOf(incoming: IncomingMessage, text: string, { tokens }: Cluster): ApiRequest {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const token = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "")?.[1];
  const user = tokens.userOf(token);
  if (!user) throw unauthorized();
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    accept: incoming.headers.accept ?? "*/*",
    contentType: incoming.headers["content-type"] ?? "",
    userAgent: incoming.headers["user-agent"] ?? "",
    text,
    user,
  };
}

async function answer(incoming: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { cluster, faults, requests, latencyMs } = serving;
  try {
    const text = await readText(incoming);
    if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    const asked = requestOf(incoming, text, cluster);
    const attempt = attemptOf(asked, routeOf(asked.path, cluster.registry));
    const seen = { attempt, user: asked.user.name, path: asked.path };
    response.on("close", () =>
      requests.note({
        ...seen,
        status: response.statusCode,
        query: asked.query.toString(),
        at: cluster.clock.now(),
      }),
    );
    const fault = faults.take(seen);
    const request = await before(fault, asked, { response, seen, clock: cluster.clock });
    if (!request) return;
    if (!isAllowed(request.user, attempt, cluster.store)) throw forbiddenTo(request.user, attempt);
    const eventsMax = fault && "cutAfterEvents" in fault ? fault.cutAfterEvents : Number.POSITIVE_INFINITY;
    if (serveStream(request, response, { cluster, eventsMax })) return void keep(response, serving);
    const reply = handle(request, cluster);
    if (fault && "cut" in fault) return void response.destroy();
    send(response, reply);
  } catch (error) {
    if (!response.destroyed) send(response, refusal(error));
  }
}
