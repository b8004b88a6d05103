import type { Socket } from "node:net";
import { headBytesMax, headEnd, skipEmptyLines } from "../http1/head-end.ts";
import { Malformed } from "../http1/malformed.ts";
import { parseRequestHead } from "../http1/request-head.ts";
import { attempt, connectFailed } from "./attempt.ts";
import { type Client, type Exchange, type Gateway, holdBack, nowMs, touch } from "./exchange.ts";
import { finish } from "./finish.ts";
import { guarded } from "./guarded.ts";
import { refuse, refuseClient } from "./refuse.ts";
import { forwardBody, newExchange } from "./request.ts";
import { clientEnded, tunnelToApp } from "./tunnel.ts";

/** Serves one client's connection until it is gone. */
export function serveClient(gateway: Gateway, socket: Socket, door?: string): void {
  const client: Client = {
    gateway,
    socket,
    remote: plainAddress(socket.remoteAddress ?? ""),
    door,
    state: "head",
    exchange: undefined,
    pending: undefined,
    sinceMs: nowMs(),
    limitMs: gateway.limits.headTimeoutMs,
    next: () => nextRequest(client),
  };
  gateway.clients.add(client);
  socket.setNoDelay(true);
  socket.on("data", (bytes: Buffer) => guarded(socket, () => received(client, bytes)));
  socket.on("drain", () => {
    touch(client);
    client.exchange?.connection?.socket.resume();
  });
  socket.on("end", () => ended(client));
  socket.on("error", () => undefined); // "close" follows and says all there is to do.
  socket.on("close", () => gone(client));
}

function received(client: Client, bytes: Buffer): void {
  const { exchange } = client;
  if (client.state === "lingering") return;
  if (!exchange) readHead(client, bytes);
  else if (exchange.isTunnel) tunnelToApp(exchange, bytes);
  else if (exchange.requestBody.isDone) holdBack(client, bytes);
  else forwardBody(exchange, bytes);
}

function readHead(client: Client, bytes: Buffer): void {
  const all = client.pending ? Buffer.concat([client.pending, bytes]) : bytes;
  if (client.pending === undefined) touch(client, client.gateway.limits.headTimeoutMs);
  try {
    const from = skipEmptyLines(all);
    if (from > headBytesMax) throw new Malformed("there is no request among the empty lines");
    const end = headEnd(all, from);
    client.pending = end === -1 ? all : end < all.length ? all.subarray(end) : undefined;
    if (end !== -1)
      beginExchange(client, newExchange(client, parseRequestHead(all.toString("latin1", from, end))));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    refuseClient(client, error);
  }
}

function beginExchange(client: Client, exchange: Exchange): void {
  client.exchange = exchange;
  client.state = "exchange";
  // Until the app is there a body has nowhere to go; requests sent ahead wait for their turn.
  if (!exchange.requestBody.isDone || client.pending) client.socket.pause();
  attempt(exchange);
}

function nextRequest(client: Client): void {
  client.state = "head";
  if (client.socket.readableEnded) return void client.socket.end();
  if (client.socket.writableNeedDrain) return awaitReader(client);
  if (client.pending === undefined) {
    touch(client, client.gateway.limits.keepAliveTimeoutMs);
    if (client.socket.isPaused()) client.socket.resume();
    return;
  }
  // Not at once: a thousand refused requests in one packet would be a thousand calls deep.
  touch(client, client.gateway.limits.headTimeoutMs);
  process.nextTick(() => {
    if (client.state !== "head" || client.exchange || client.socket.destroyed) return;
    client.socket.resume();
    readHead(client, Buffer.alloc(0));
  });
}

/** A client that sends requests ahead and does not read the answers gets no further ones: they would pile up here. */
function awaitReader(client: Client): void {
  client.socket.pause();
  touch(client, client.gateway.limits.responseIdleTimeoutMs);
  client.socket.once("drain", client.next);
}

/** The client ends its side. While it waits for an answer that means it has gone, as every proxy takes it. */
function ended(client: Client): void {
  if (client.exchange?.isTunnel) clientEnded(client.exchange);
  else client.socket.destroy();
}

function gone(client: Client): void {
  client.gateway.clients.delete(client);
  const { exchange } = client;
  if (!exchange) return;
  if (!exchange.isTunnel) {
    exchange.flag = "DC";
    exchange.status ||= 499;
  }
  finish(exchange, { isReusable: false, isBroken: true });
}

/** Called for a client whose last progress is longer ago than its phase allows. */
export function expire(client: Client): void {
  const { exchange, state, pending } = client;
  if (state === "head" && pending) return refuseClient(client, "request_timeout");
  if (!exchange || exchange.isTunnel) return void client.socket.destroy();
  expireExchange(exchange);
}

function expireExchange(x: Exchange): void {
  const { connection, gateway, route } = x;
  if (route && !x.response) gateway.metrics.count(route.cluster, "timeout");
  if (!connection) return refuse(x, "overloaded");
  if (!connection.isConnected) {
    connection.exchange = undefined;
    connection.close();
    x.connection = undefined;
    return connectFailed(x, "connect_timeout");
  }
  if (!x.requestBody.isDone && !connection.socket.writableNeedDrain) return refuse(x, "request_timeout");
  const limitMs = route?.spec.request_timeout_ms ?? gateway.limits.responseTimeoutMs;
  refuse(x, "response_timeout", `${limitMs / 1_000} s`);
}

const plainAddress = (address: string): string =>
  address.startsWith("::ffff:") ? address.slice(7) : address;
