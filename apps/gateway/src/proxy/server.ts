import { once } from "node:events";
import { createServer } from "node:net";
import { listen } from "../listen.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { AccessLog } from "../telemetry/access-log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { openDoors, type Doors } from "./doors.ts";
import { appEvents } from "./app-events.ts";
import { expire, serveClient } from "./client.ts";
import { type Gateway, nowMs } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import { sweepIdle } from "./upstream-connection.ts";

export type Proxy = AsyncDisposable & { readonly port: number; readonly doors: Doors; clients(): number };

/**
 * Listens for the apps' traffic. Disposal takes no new connection, lets open requests end within the grace of the
 * limits, then cuts what is left.
 */
export async function openProxy(
  deps: { table: RouteTable; metrics: Metrics; access: AccessLog; limits: Limits },
  address: { host: string; port: number },
): Promise<Proxy> {
  const gateway: Gateway = { ...deps, clients: new Set(), events: appEvents, isClosing: false };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    serveClient(gateway, socket),
  );
  server.maxConnections = deps.limits.clientsMax;
  const port = await listen(server, address, "GATEWAY_PORT");
  const doors = openDoors(deps.limits.clientsMax, (socket, door) => serveClient(gateway, socket, door));
  const sweeper = setInterval(() => sweep(gateway), deps.limits.sweepEveryMs);

  return {
    port,
    doors,
    clients: () => gateway.clients.size,
    async [Symbol.asyncDispose]() {
      gateway.isClosing = true;
      const closed = once(server, "close");
      server.close();
      doors[Symbol.dispose]();
      await drain(gateway);
      clearInterval(sweeper);
      for (const { socket } of gateway.clients) socket.destroy();
      for (const upstream of gateway.table.upstreams()) upstream.closeIdle();
      await closed;
    },
  };
}

/** One pass over everything that can wait too long: cheaper than a timer for each request. */
function sweep(gateway: Gateway): void {
  const now = nowMs();
  for (const client of gateway.clients) if (now - client.sinceMs > client.limitMs) expire(client);
  for (const upstream of gateway.table.upstreams())
    sweepIdle(upstream, now - gateway.limits.upstreamIdleTimeoutMs);
}

async function drain(gateway: Gateway): Promise<void> {
  const deadline = nowMs() + gateway.limits.shutdownGraceMs;
  for (const client of gateway.clients) if (!client.exchange) client.socket.destroy();
  while (nowMs() < deadline && [...gateway.clients].some(({ exchange }) => exchange && !exchange.isTunnel))
    await new Promise((resolve) => setTimeout(resolve, 20));
}
