import { pickUpstream, type Upstream } from "../routing/upstream.ts";
import { type Exchange, touch, type UpstreamConnection } from "./exchange.ts";
import { release } from "./finish.ts";
import { refuse } from "./refuse.ts";
import { openConnection } from "./upstream-connection.ts";

/**
 * Finds an instance and a connection for the exchange, by the table that is live now: a retry after a swap goes to
 * where the route leads then. Only a replayable request is given a used connection, and none with `fresh`.
 */
export function attempt(x: Exchange, fresh = false): void {
  const route = x.gateway.table.find(x.head.host, x.client.door);
  if (!route) return refuse(x, x.client.door === undefined ? "unknown_host" : "unknown_neighbour");
  x.route = route;
  const upstream = pickUpstream(route, x.tried);
  if (!upstream) return refuse(x, route.spec.state === "serving" ? "no_instance" : route.spec.state);
  upstream.inflight++;
  x.upstream = upstream;
  x.servedBy = upstream;
  touch(x.client, x.gateway.limits.connectTimeoutMs);
  acquire(x, upstream, fresh);
}

function acquire(x: Exchange, upstream: Upstream, fresh: boolean): void {
  const { limits, events } = x.gateway;
  const used = x.isReplayable && !fresh ? (upstream.idle.pop() as UpstreamConnection | undefined) : undefined;
  if (used) {
    used.exchange = x;
    x.connection = used;
    return events.connected(used);
  }
  if (upstream.sockets >= limits.socketsPerUpstreamMax) upstream.idle.shift()?.close();
  if (upstream.sockets < limits.socketsPerUpstreamMax) {
    x.connection = openConnection(x.gateway, upstream, x);
    return;
  }
  if (upstream.waiting.length >= limits.waitingPerUpstreamMax) return refuse(x, "overloaded");
  upstream.waiting.push(() => {
    // One that has gone meanwhile passes its place on.
    if (x.isDone || x.upstream !== upstream) upstream.waiting.shift()?.();
    else acquire(x, upstream, fresh);
  });
}

/** The app closed a used connection before a byte of an answer: it did so while it lay idle. Sent again on a fresh one. */
export function repeatFresh(x: Exchange): void {
  x.gateway.metrics.count(x.route?.cluster ?? "", "retry");
  release(x, false);
  x.held = undefined;
  x.sawResponseByte = false;
  x.isRequestSent = false;
  attempt(x, true);
}

/** No connection came about, so not a byte was sent: safe to try again whatever the request is. */
export function connectFailed(x: Exchange, outcome: "connect_failed" | "connect_timeout"): void {
  const { upstream, route, gateway } = x;
  if (route) gateway.metrics.count(route.cluster, "connect_fail");
  x.failures++;
  if (upstream && !x.tried.includes(upstream)) x.tried.push(upstream);
  if (!route || x.failures > (route.spec.retries ?? gateway.limits.retries)) return refuse(x, outcome);
  gateway.metrics.count(route.cluster, "retry");
  release(x, false);
  const others = gateway.table.find(x.head.host, x.client.door)?.upstreams ?? [];
  const delayMs = others.some((other) => !x.tried.includes(other))
    ? 0
    : gateway.limits.retryFirstDelayMs * 2 ** (x.failures - 1);
  touch(x.client, delayMs + gateway.limits.connectTimeoutMs);
  setTimeout(() => {
    if (!x.isDone) attempt(x, true);
  }, delayMs);
}
