import { bodyReader } from "../http1/body.ts";
import { headEnd } from "../http1/head-end.ts";
import { Malformed } from "../http1/malformed.ts";
import { parseResponseHead, type ResponseHead } from "../http1/response-head.ts";
import { repeatFresh } from "./attempt.ts";
import { type Exchange, touch } from "./exchange.ts";
import { finish } from "./finish.ts";
import { interimHeadText, responseHeadText } from "./forward-head.ts";
import { refuse } from "./refuse.ts";
import { responseIdleMs } from "./request.ts";
import { openTunnel } from "./tunnel.ts";

/** Takes what the app sent. The bytes are valid during the call only. */
export function takeResponse(x: Exchange, bytes: Buffer): void {
  x.receivedBytes += bytes.length;
  x.sawResponseByte = true;
  try {
    if (x.response) passBody(x, "", bytes, 0);
    else takeHeads(x, x.held ? Buffer.concat([x.held, bytes]) : bytes);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    refuse(x, "invalid_response", error.message);
  }
}

function takeHeads(x: Exchange, bytes: Buffer): void {
  let from = 0;
  for (;;) {
    const end = headEnd(bytes, from);
    if (end === -1) {
      checkBeginning(bytes, from);
      x.held = Buffer.from(bytes.subarray(from));
      return;
    }
    const response = parseResponseHead(bytes.toString("latin1", from, end), x.head.method === "HEAD");
    from = end;
    if (response.status === 101) return switchProtocol(x, response, bytes.subarray(end));
    if (response.status >= 200) return beginResponse(x, response, bytes, end);
    if (x.head.minor === 1) x.client.socket.write(interimHeadText(response), "latin1");
  }
}

/** Something that is not HTTP at all is told at once, not after a timeout. */
function checkBeginning(bytes: Buffer, from: number): void {
  const expected = "HTTP/1.";
  const seen = bytes.toString("latin1", from, from + expected.length);
  if (!expected.startsWith(seen))
    throw new Malformed("the answer does not begin with an HTTP/1.1 status line");
}

function switchProtocol(x: Exchange, response: ResponseHead, rest: Buffer): void {
  if (x.head.upgrade === undefined)
    throw new Malformed("it switched to another protocol without being asked");
  openTunnel(x, response, rest);
}

function beginResponse(x: Exchange, response: ResponseHead, bytes: Buffer, from: number): void {
  // A server may say 408 to a connection that lay idle just as the next request goes out: nobody has seen that one.
  if (response.status === 408 && x.connection?.isReused && x.isReplayable && !response.keepAlive)
    return repeatFresh(x);
  x.response = response;
  x.responseBody = bodyReader(response.framing);
  x.status = response.status;
  x.held = undefined;
  x.passing = passingOf(x, response);
  // The app answered before it had the whole request: whether it will read the rest is unknown.
  x.isLast ||= !x.isRequestSent || x.gateway.isClosing;
  passBody(x, responseHeadText(x, response), bytes, from);
}

function passingOf(x: Exchange, { framing }: ResponseHead): Exchange["passing"] {
  if (framing.kind === "close" && x.head.minor === 1) return "into_chunks";
  return framing.kind === "chunked" && x.head.minor === 0 ? "out_of_chunks" : "raw";
}

function passBody(x: Exchange, prefix: string, bytes: Buffer, from: number): void {
  const { client, connection, responseBody, response } = x;
  if (!responseBody || !response) return;
  touch(client, responseIdleMs(x));
  const { out, end } =
    x.passing === "raw" ? copied(x, prefix, bytes, from) : rewritten(x, prefix, bytes, from);
  x.responseBytes += end - from;
  const hasRoom = out.length === 0 || client.socket.write(out);
  if (responseBody.isDone)
    finish(x, { isReusable: response.keepAlive && x.isRequestSent && end === bytes.length });
  else if (!hasRoom) connection?.socket.pause();
}

/** One buffer with the head and the body's piece: one write, and the shared read buffer is free again. */
function copied(x: Exchange, prefix: string, bytes: Buffer, from: number): { out: Buffer; end: number } {
  const end = x.responseBody?.take(bytes, from) ?? from;
  const out = Buffer.allocUnsafe(prefix.length + end - from);
  if (prefix !== "") out.write(prefix, 0, "latin1");
  bytes.copy(out, prefix.length, from, end);
  return { out, end };
}

function rewritten(x: Exchange, prefix: string, bytes: Buffer, from: number): { out: Buffer; end: number } {
  const parts: Buffer[] = [Buffer.from(prefix, "latin1")];
  const end = x.responseBody?.take(bytes, from, (start, stop) => {
    if (stop === start) return;
    if (x.passing === "into_chunks") parts.push(Buffer.from(`${(stop - start).toString(16)}\r\n`));
    parts.push(bytes.subarray(start, stop));
    if (x.passing === "into_chunks") parts.push(Buffer.from("\r\n"));
  });
  return { out: Buffer.concat(parts), end: end ?? from };
}

/** The app ended the connection: for an answer without a length that is its end. True if it was. */
export function endOfConnection(x: Exchange): boolean {
  if (x.response?.framing.kind !== "close") return false;
  if (x.passing === "into_chunks") x.client.socket.write("0\r\n\r\n", "latin1");
  finish(x, { isReusable: false });
  return true;
}
