import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { User } from "../access/users.ts";
import type { Cluster } from "../cluster.ts";
import { ApiError } from "../model/api-error.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { routeOf } from "./route.ts";
import { serveOther } from "./serve-other.ts";
import { serveResource } from "./serve-resource.ts";
import { serveWatch } from "./serve-watch.ts";

export type Serving = {
  readonly cluster: Cluster;
  /** Who sends this token, if anybody may. */
  readonly userOf: (token: string | undefined) => User | undefined;
};

/** Begins to listen on a free port of loopback. */
export async function listen(serving: Serving): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void answer(request, response, serving));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}` };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const unauthorized = (): ApiError => new ApiError(401, { reason: "Unauthorized", message: "Unauthorized" });

async function answer(incoming: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  try {
    const text = await readText(incoming);
    const token = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "")?.[1];
    const user = serving.userOf(token);
    if (!user) throw unauthorized();
    const request: ApiRequest = {
      method: incoming.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      accept: incoming.headers.accept ?? "*/*",
      contentType: incoming.headers["content-type"] ?? "",
      userAgent: incoming.headers["user-agent"] ?? "",
      text,
      user,
    };
    if (serveWatch(request, response, serving.cluster)) return;
    send(response, handle(request, serving.cluster));
  } catch (error) {
    send(response, refusal(error));
  }
}

export function handle(request: ApiRequest, cluster: Cluster): ApiResponse {
  const route = routeOf(request.path, cluster.registry);
  if (route.type === "resource") return serveResource(request, route, cluster);
  if (route.type === "other") return serveOther(request, cluster);
  throw new ApiError(404, {
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });
}

export function refusal(error: unknown): ApiResponse {
  if (error instanceof ApiError) return { status: error.code, body: error.status };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { status } = new ApiError(500, {
    reason: "InternalError",
    message: `Internal error occurred: ${message}`,
  });
  return { status: 500, body: status };
}

export function send(
  response: ServerResponse,
  { status, body, isText, warnings = [], contentType }: ApiResponse,
): void {
  if (response.headersSent) return void response.end();
  const retry = (body as { details?: { retryAfterSeconds?: number } } | null)?.details?.retryAfterSeconds;
  response.statusCode = status;
  if (warnings.length > 0)
    response.setHeader(
      "Warning",
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  if (retry !== undefined) response.setHeader("Retry-After", String(retry));
  if (status === 204) return void response.end();
  response.setHeader(
    "Content-Type",
    contentType ?? (isText ? "text/plain; charset=utf-8" : "application/json"),
  );
  response.end(isText ? String(body) : JSON.stringify(body));
}
