import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  GatewayDoor,
  GatewayDoorState,
  GatewayRoute,
  GatewayRoutes,
  GatewayRoutesAccepted,
  GatewayUpstreamUse,
} from "@starform/contract/gateway";
import { until } from "@starform/std/retry";
import { defaultLimits, type Limits } from "../src/proxy/limits.ts";
import { openGateway } from "../src/wiring/gateway.ts";

const token = "test-token-test-token";
const hex = (digit: string): string => digit.repeat(32);
export const routeName = `${hex("a")}${hex("b")}-production`;
export const host = "web-shop.localhost";

export type Upstream = { id: string; host: string; port: number };
export const at = (port: number, id = `i-${port}`): Upstream => ({ id, host: "127.0.0.1", port });

export const aRoute = (upstreams: Upstream[], more: Partial<GatewayRoute> = {}): GatewayRoute => ({
  name: routeName,
  namespace: "proj-shop",
  hostnames: [host],
  upstreams,
  state: "serving",
  workspace_id: "w1",
  project_id: "p1",
  environment: "production",
  service_id: "s1",
  service_name: "web",
  ...more,
});

export type Gateway = AsyncDisposable & {
  readonly port: number;
  readonly adminPort: number;
  readonly stateFile: string;
  /** Sends a table and answers the status and the body. */
  put(body: unknown): Promise<{ status: number; body: GatewayRoutesAccepted & { detail: string } }>;
  route(upstreams: Upstream[], more?: Partial<GatewayRoute>): Promise<void>;
  /** Asks for a door before there is a table that names it. */
  door(door: GatewayDoor): Promise<GatewayDoorState>;
  use(id: string): Promise<GatewayUpstreamUse>;
  metrics(): Promise<string>;
};

/** A real gateway on free ports of loopback. Limits are those of production unless a test is about one. */
export async function aGateway(limits: Partial<Limits> = {}, telemetryUrl?: string): Promise<Gateway> {
  const dir = mkdtempSync(join(tmpdir(), "gateway-"));
  const stateFile = join(dir, "routes.json");
  const open = await openGateway(
    {
      traffic: { host: "127.0.0.1", port: 0 },
      admin: { host: "127.0.0.1", port: 0, token },
      stateFile,
      telemetry:
        telemetryUrl === undefined
          ? undefined
          : { url: telemetryUrl, user: "u", password: "p", bufferDir: join(dir, "lines") },
    },
    { ...defaultLimits, shutdownGraceMs: 200, sweepEveryMs: 20, ...limits },
  );
  const admin = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${open.adminPort}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}` },
    });
  const put = async (table: unknown) => {
    const answer = await admin("/routes", {
      method: "PUT",
      body: typeof table === "string" ? table : JSON.stringify(table),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as GatewayRoutesAccepted & { detail: string },
    };
  };
  return {
    port: open.port,
    adminPort: open.adminPort,
    stateFile,
    put,
    async route(upstreams, more) {
      const table: GatewayRoutes = { routes: [aRoute(upstreams, more)] };
      const { status, body } = await put(table);
      if (status !== 200) throw new Error(body.detail);
    },
    door: async (door) =>
      (
        await admin("/doors", { method: "PUT", body: JSON.stringify(door) })
      ).json() as Promise<GatewayDoorState>,
    use: async (id) =>
      (await admin(`/upstreams/${encodeURIComponent(id)}`)).json() as Promise<GatewayUpstreamUse>,
    metrics: async () => (await admin("/metrics")).text(),
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type App = AsyncDisposable & { readonly port: number; readonly connections: Set<Socket> };

/** An app that speaks HTTP by Node's own server. */
export const anApp = (
  listener: RequestListener,
  prepare: (server: HttpServer) => void = () => undefined,
): Promise<App> => {
  const server = createHttpServer(listener);
  prepare(server);
  return listening(server);
};

/** An app that has only a socket: it may do what no server would. */
export const aRawApp = (serve: (socket: Socket) => void): Promise<App> => listening(createServer(serve));

async function listening(server: Server): Promise<App> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => connections.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** A port that nothing listens on. */
export async function aClosedPort(): Promise<number> {
  const app = await aRawApp(() => undefined);
  await app[Symbol.asyncDispose]();
  return app.port;
}

export type Client = Disposable & {
  readonly socket: Socket;
  /** Everything received so far, as latin1. */
  readonly text: () => string;
  send(text: string): void;
  /** Resolves with all the text once it has this; rejects after 15 s. */
  sees(what: string | RegExp): Promise<string>;
  /** Resolves with all the text once the gateway has ended the connection. */
  ended(): Promise<string>;
};

/** A client that writes and reads bytes. */
export async function aClient(
  port: number,
  way: { host?: string; localAddress?: string } = {},
): Promise<Client> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true, ...way });
  let text = "";
  let isEnded = false;
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("end", () => (isEnded = true));
  socket.on("close", () => (isEnded = true));
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return {
    socket,
    text: () => text,
    send: (more) => void socket.write(more, "latin1"),
    sees: async (what) => {
      const isThere = (): boolean => (what instanceof RegExp ? what.test(text) : text.includes(what));
      await until(`${String(what)} in what the gateway sent`, isThere, { everyMs: 5 });
      return text;
    },
    ended: async () => {
      await until("the end of the connection", () => isEnded, { everyMs: 5 });
      return text;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

export const get = (path = "/", ...lines: string[]): string =>
  `${["GET " + path + " HTTP/1.1", `Host: ${host}`, ...lines].join("\r\n")}\r\n\r\n`;
