import { randomUUID } from "node:crypto";
import { bodyReader } from "../http1/body.ts";
import { Malformed } from "../http1/malformed.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { type Client, type Exchange, holdBack, nowMs, touch } from "./exchange.ts";
import { requestHeadText } from "./forward-head.ts";
import { refuse } from "./refuse.ts";

const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export function newExchange(client: Client, head: RequestHead): Exchange {
  return {
    gateway: client.gateway,
    client,
    head,
    requestId: requestIdOf(head),
    startedMs: nowMs(),
    startedAtMs: Date.now(),
    isReplayable: head.framing.kind === "none" && head.upgrade === undefined && idempotent.has(head.method),
    requestBody: bodyReader(head.framing),
    route: undefined,
    upstream: undefined,
    connection: undefined,
    servedBy: undefined,
    tried: [],
    failures: 0,
    isRequestSent: false,
    requestBytes: 0,
    held: undefined,
    sawResponseByte: false,
    response: undefined,
    responseBody: undefined,
    passing: "raw",
    responseBytes: 0,
    receivedBytes: 0,
    sentBytes: 0,
    status: 0,
    flag: "-",
    isLast: !head.keepAlive,
    isTunnel: false,
    isDone: false,
  };
}

/** The connection stands: the head goes out, then what has come of the body. */
export function sendRequest(x: Exchange): void {
  const { connection, client } = x;
  if (!connection) return;
  const text = requestHeadText(x);
  x.sentBytes += text.length;
  connection.socket.write(text, "latin1");
  if (x.requestBody.isDone) return requestSent(x);
  touch(client, x.gateway.limits.bodyIdleTimeoutMs);
  const ahead = client.pending;
  client.pending = undefined;
  client.socket.resume();
  if (ahead) forwardBody(x, ahead);
}

/** Passes a piece of the request's body on. What comes after its end belongs to the next request and is held. */
export function forwardBody(x: Exchange, bytes: Buffer): void {
  const { connection, client } = x;
  if (!connection?.isConnected) return holdBack(client, bytes);
  touch(client);
  let end: number;
  try {
    end = x.requestBody.take(bytes, 0);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return refuse(x, "malformed", error.message);
  }
  x.requestBytes += end;
  x.sentBytes += end;
  const hasRoom = connection.socket.write(end === bytes.length ? bytes : bytes.subarray(0, end));
  if (x.requestBody.isDone) requestSent(x);
  if (end < bytes.length) holdBack(client, bytes.subarray(end));
  else if (!hasRoom) client.socket.pause();
}

/** From here the app is awaited. */
function requestSent(x: Exchange): void {
  x.isRequestSent = true;
  if (x.response) touch(x.client, responseIdleMs(x));
  else touch(x.client, x.route?.spec.request_timeout_ms ?? x.gateway.limits.responseTimeoutMs);
}

export const responseIdleMs = (x: Exchange): number =>
  x.route?.spec.idle_timeout_ms ?? x.gateway.limits.responseIdleTimeoutMs;

/** The client's own id if it is one that may stand in a log and a header, else a new one. */
function requestIdOf({ fields: { names, values } }: RequestHead): string {
  const at = names.indexOf("x-request-id");
  const given = at === -1 ? undefined : values[at];
  return given !== undefined && /^[A-Za-z0-9][A-Za-z0-9._:/+=~-]{0,127}$/.test(given) ? given : randomUUID();
}
