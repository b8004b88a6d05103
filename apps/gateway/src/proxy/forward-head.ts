import { keptLines } from "../http1/fields.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { Exchange } from "./exchange.ts";

/** What ends at the gateway, and what the gateway says itself. */
const ownRequestFields = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-request-id",
]);
const ownResponseFields = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
]);
/** Connection may not name these away: they carry the message's meaning. */
const unlistable = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "authorization",
  "cookie",
  "set-cookie",
]);

const isOwnRequestField = (name: string): boolean =>
  ownRequestFields.has(name) || (name.includes("_") && isDisguised(name.replaceAll("_", "-")));
/** `X_Forwarded_For` arrives in many apps as the same variable as `X-Forwarded-For`: it would forge what we say. */
const isDisguised = (name: string): boolean => ownRequestFields.has(name) || name === "content-length";
const isOwnResponseField = (name: string): boolean => ownResponseFields.has(name);

/** The request head that the app gets. */
export function requestHeadText(x: Exchange): string {
  const { head, client } = x;
  const { fields, connection } = head;
  const dropped =
    connection.length === 0
      ? isOwnRequestField
      : (name: string) => isOwnRequestField(name) || (connection.includes(name) && !unlistable.has(name));
  const coding = head.framing.kind === "chunked" ? "Transfer-Encoding: chunked\r\n" : "";
  const upgrade = head.upgrade === undefined ? "" : `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host}\r\n${keptLines(fields, dropped)}${coding}${upgrade}X-Forwarded-For: ${forwardedFor(x)}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: ${head.host}\r\nX-Forwarded-Port: ${portOf(head.host) ?? client.socket.localPort ?? 80}\r\nX-Request-Id: ${x.requestId}\r\n\r\n`;
}

/** The response head that the client gets. */
export function responseHeadText(x: Exchange, response: ResponseHead): string {
  const { fields, connection } = response;
  const dropped =
    connection.length === 0
      ? isOwnResponseField
      : (name: string) => isOwnResponseField(name) || (connection.includes(name) && !unlistable.has(name));
  const isChunked =
    x.passing === "into_chunks" || (x.passing === "raw" && response.framing.kind === "chunked");
  return `HTTP/1.1 ${response.status} ${response.reason}\r\n${keptLines(fields, dropped)}${isChunked ? "Transfer-Encoding: chunked\r\n" : ""}X-Request-Id: ${x.requestId}\r\n${x.isLast ? "Connection: close\r\n" : ""}\r\n`;
}

/** 101: both sides leave HTTP, so Connection and Upgrade go through. */
export const switchingHeadText = (x: Exchange, { fields }: ResponseHead): string =>
  `HTTP/1.1 101 Switching Protocols\r\n${keptLines(fields, (name) => name === "x-request-id" || name === "content-length" || name === "transfer-encoding")}X-Request-Id: ${x.requestId}\r\n\r\n`;

/** 100 and 103 go to the client as they come. */
export const interimHeadText = ({ status, reason, fields }: ResponseHead): string =>
  `HTTP/1.1 ${status} ${reason}\r\n${keptLines(fields, isOwnResponseField)}\r\n`;

/** The chain as the client sent it, with the address that we see added: the last one is the only one to trust. */
function forwardedFor({ head: { fields }, client }: Exchange): string {
  if (!fields.names.includes("x-forwarded-for")) return client.remote;
  const before = fields.values.filter((value, at) => fields.names[at] === "x-forwarded-for" && value !== "");
  return [...before, client.remote].join(", ");
}

const portOf = (host: string): string | undefined => /:(\d{1,5})$/.exec(host)?.[1];
