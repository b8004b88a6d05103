import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  GatewayDoor,
  type GatewayDoorState,
  GatewayRoutes,
  type GatewayRoutesAccepted,
  type GatewayUpstreamUse,
} from "@starform/contract/gateway";
import { Fault, faultCodes, isFault, wordsOf } from "@starform/std/fault";
import { listen } from "../listen.ts";
import type { Doors } from "../proxy/doors.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { StateFile } from "../routing/state-file.ts";

export type Admin = AsyncDisposable & { readonly port: number };

type Deps = {
  readonly table: RouteTable;
  readonly state: StateFile;
  readonly doors: Doors;
  readonly token: string;
  readonly metrics: () => string;
};

const bodyBytesMax = 64 << 20;

/** The admin API for Shuttle and the supervisor, on loopback. `/healthz` is open, all else needs the bearer token. */
export async function openAdmin(deps: Deps, address: { host: string; port: number }): Promise<Admin> {
  const server = createServer((request, response) => {
    answer(deps, request, response).catch((error: unknown) => sendProblem(response, error));
  });
  const port = await listen(server, address, "GATEWAY_ADMIN_PORT");
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(deps: Deps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://gateway").pathname;
  const call = `${request.method} ${path}`;
  if (call === "GET /healthz") return send(response, { status: "ok" });
  if (!isBearer(request.headers.authorization, deps.token))
    throw new Fault("unauthenticated", "the admin API takes the bearer token of GATEWAY_ADMIN_TOKEN_FILE");
  if (call === "PUT /routes") return send(response, await replaceRoutes(deps, await bodyOf(request)));
  if (call === "PUT /doors") return send(response, await openDoor(deps, await bodyOf(request)));
  if (call === "GET /metrics") return sendText(response, deps.metrics());
  const id = request.method === "GET" ? /^\/upstreams\/([^/]+)$/.exec(path)?.[1] : undefined;
  if (id === undefined)
    throw new Fault(
      "not_found",
      `there is no ${call}: the calls are PUT /routes, PUT /doors, GET /upstreams/<id>, GET /healthz, GET /metrics`,
    );
  return send(response, useOf(deps, decoded(id)));
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw new Fault("malformed", "the upstream's id is not percent-encoded as it should be");
  }
}

async function openDoor({ doors }: Deps, body: string): Promise<GatewayDoorState> {
  const door = GatewayDoor.safeParse(jsonOf(body, "the door"));
  if (!door.success)
    throw new Fault(
      "invalid",
      `the door is refused: ${door.error.issues[0]?.path}: ${door.error.issues[0]?.message}`,
    );
  const reason = await doors.open(door.data);
  return reason === undefined ? { isOpen: true } : { isOpen: false, reason };
}

async function replaceRoutes({ table, state, doors }: Deps, body: string): Promise<GatewayRoutesAccepted> {
  const routes = parseRoutes(body);
  table.replace(routes);
  const { current } = table;
  doors.follow(current.doors);
  return {
    ...(current.version === undefined ? {} : { version: current.version }),
    routes: current.routes.length,
    hostnames: current.hostnames,
    upstreams: current.routes.reduce((sum, { upstreams }) => sum + upstreams.length, 0),
    persisted: await state.save(routes),
  };
}

function parseRoutes(body: string): GatewayRoutes {
  const parsed = GatewayRoutes.safeParse(jsonOf(body, "the table"));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const first = issues[0];
  throw new Fault(
    "invalid",
    `the table is refused and the last good one stays: ${first?.path}: ${first?.message}`,
    { issues },
  );
}

function jsonOf(body: string, what: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Fault("invalid", `${what} is not JSON, and the last good one stays: ${wordsOf(error)}`);
  }
}

function useOf({ table }: Deps, id: string): GatewayUpstreamUse {
  const found = table.upstream(id);
  return { id, inflight: found?.upstream.inflight ?? 0, known: found?.isLive ?? false };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) throw new Fault("too_large", "a routing table may have 64 MiB");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Compared by digest, so that neither the length nor the time tells anything. */
const isBearer = (header: string | undefined, token: string): boolean =>
  timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function send(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(value)}\n`);
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(text);
}

function sendProblem(response: ServerResponse, error: unknown): void {
  const fault = isFault(error)
    ? error
    : new Fault("internal", "the gateway failed on this call; its log says more", { cause: error });
  if (!isFault(error)) console.error(error);
  const status = faultCodes[fault.code];
  response.writeHead(status, {
    "content-type": "application/problem+json",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(status === 413 ? { connection: "close" } : {}),
  });
  const { code, message, issues } = fault;
  response.end(
    `${JSON.stringify({ type: "about:blank", title: code.replaceAll("_", " "), status, code, detail: message, ...(issues.length > 0 ? { issues } : {}) })}\n`,
  );
}
