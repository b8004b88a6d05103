import type { Client, Exchange } from "./exchange.ts";
import { nowMs, touch } from "./exchange.ts";
import { giveBack } from "./upstream-connection.ts";

/** Takes the upstream from the exchange: its connection is kept if it may serve another request, and it is counted no longer. */
export function release(x: Exchange, isReusable: boolean): void {
  const { connection, upstream } = x;
  x.connection = undefined;
  x.upstream = undefined;
  if (upstream) upstream.inflight--;
  if (connection) giveBack(connection, isReusable);
}

/** Ends the exchange once: counted, recorded, the upstream given back, the client told to go on or to go. */
export function finish(x: Exchange, end: { isReusable: boolean; isBroken?: boolean }): void {
  if (x.isDone) return;
  x.isDone = true;
  record(x);
  release(x, end.isReusable);
  const { client } = x;
  client.exchange = undefined;
  if (end.isBroken) client.socket.destroy();
  else if (x.isLast) linger(client);
  else client.next();
}

/** Ends our side and reads on for a moment: a close with unread bytes would make the client lose the answer. */
export function linger(client: Client): void {
  client.state = "lingering";
  client.pending = undefined;
  touch(client, client.gateway.limits.lingerTimeoutMs);
  client.socket.end();
  client.socket.resume();
}

function record(x: Exchange): void {
  const { route, gateway, head, servedBy } = x;
  if (!route) return;
  const durationMs = nowMs() - x.startedMs;
  gateway.metrics.record(route.cluster, {
    status: x.status,
    durationMs,
    receivedBytes: x.receivedBytes,
    sentBytes: x.sentBytes,
  });
  const agent = head.fields.names.indexOf("user-agent");
  gateway.access.record({
    route: route.spec,
    startedAtMs: x.startedAtMs,
    method: head.method,
    target: head.target,
    status: x.status,
    durationMs,
    requestBytes: x.requestBytes,
    responseBytes: x.responseBytes,
    requestId: x.requestId,
    remote: x.client.remote,
    userAgent: agent === -1 ? "" : (head.fields.values[agent] ?? ""),
    upstreamId: servedBy?.id ?? "",
    upstream: servedBy ? `${servedBy.host}:${servedBy.port}` : "",
    flags: x.flag,
  });
}
