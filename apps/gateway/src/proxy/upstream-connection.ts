import { connect } from "node:net";
import type { Upstream } from "../routing/upstream.ts";
import { type Exchange, type Gateway, nowMs, type UpstreamConnection } from "./exchange.ts";
import { guarded } from "./guarded.ts";

/**
 * All connections to apps read into this one buffer: what is kept is copied before the callback returns. It spares
 * a buffer and a pass through the readable stream for each read, which is a good part of the cost of a small request.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** Opens a connection for an exchange; what happens on it goes to the gateway's events. */
export function openConnection(gateway: Gateway, upstream: Upstream, exchange: Exchange): UpstreamConnection {
  const { events } = gateway;
  upstream.sockets++;
  const socket = connect({
    host: upstream.host,
    port: upstream.port,
    noDelay: true,
    allowHalfOpen: true,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        if (!connection.isClosed)
          guarded(socket, () => events.bytes(connection, readBuffer.subarray(0, length)));
        return true;
      },
    },
  });
  const connection: UpstreamConnection = {
    socket,
    upstream,
    gateway,
    exchange,
    isConnected: false,
    isReused: false,
    isClosed: false,
    isCounted: true,
    idleSinceMs: 0,
    close: () => lose(connection, undefined),
  };
  socket.on("connect", () => {
    connection.isConnected = true;
    if (!connection.isClosed) events.connected(connection);
  });
  socket.on("drain", () => events.drained(connection));
  socket.on("end", () => {
    if (!connection.isClosed) events.ended(connection);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => lose(connection, error));
  socket.on("close", () => lose(connection, undefined));
  return connection;
}

/** Ends a connection once, whoever sees it first, and tells the exchange that still holds it. */
export function lose(connection: UpstreamConnection, error: NodeJS.ErrnoException | undefined): void {
  if (connection.isClosed) return;
  connection.isClosed = true;
  connection.socket.destroy();
  uncount(connection);
  const { idle } = connection.upstream;
  const at = idle.indexOf(connection);
  if (at !== -1) idle.splice(at, 1);
  if (connection.exchange) connection.gateway.events.closed(connection, error);
}

/** Takes a connection out of the bounded number of sockets and lets a waiting request have the place. */
export function uncount(connection: UpstreamConnection): void {
  if (!connection.isCounted) return;
  connection.isCounted = false;
  connection.upstream.sockets--;
  connection.upstream.waiting.shift()?.();
}

/** Takes the connection from its exchange: to wait for the next request if it can, to be closed otherwise. */
export function giveBack(connection: UpstreamConnection, isReusable: boolean): void {
  const { upstream, gateway } = connection;
  connection.exchange = undefined;
  if (
    !isReusable ||
    upstream.isRemoved ||
    gateway.isClosing ||
    upstream.idle.length >= gateway.limits.idlePerUpstreamMax
  )
    return connection.close();
  connection.isReused = true;
  connection.idleSinceMs = nowMs();
  upstream.idle.push(connection);
  upstream.waiting.shift()?.();
}

/** Closes the connections that have been idle too long; the oldest lie first. */
export function sweepIdle(upstream: Upstream, olderThanMs: number): void {
  let count = 0;
  while (count < upstream.idle.length && (upstream.idle[count]?.idleSinceMs ?? 0) < olderThanMs) count++;
  for (const connection of upstream.idle.splice(0, count)) connection.close();
}
