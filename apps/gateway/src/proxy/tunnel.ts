import type { ResponseHead } from "../http1/response-head.ts";
import { type Exchange, touch } from "./exchange.ts";
import { finish } from "./finish.ts";
import { switchingHeadText } from "./forward-head.ts";
import { uncount } from "./upstream-connection.ts";

/** From here bytes pass both ways as they are, until both sides have ended or one has gone. */
export function openTunnel(x: Exchange, response: ResponseHead, rest: Buffer): void {
  const { client, connection, gateway } = x;
  if (!connection) return;
  x.isTunnel = true;
  x.isLast = true;
  x.status = 101;
  x.response = response;
  client.state = "tunnel";
  uncount(connection);
  client.socket.setNoDelay(true);
  client.socket.write(switchingHeadText(x, response), "latin1");
  touch(client, x.route?.spec.idle_timeout_ms ?? gateway.limits.tunnelIdleTimeoutMs);
  if (rest.length > 0) tunnelToClient(x, rest);
  const ahead = client.pending;
  client.pending = undefined;
  client.socket.resume();
  if (ahead) tunnelToApp(x, ahead);
}

export function tunnelToClient(x: Exchange, bytes: Buffer): void {
  touch(x.client);
  x.responseBytes += bytes.length;
  if (!x.client.socket.write(Buffer.from(bytes))) x.connection?.socket.pause();
}

export function tunnelToApp(x: Exchange, bytes: Buffer): void {
  touch(x.client);
  x.requestBytes += bytes.length;
  x.sentBytes += bytes.length;
  if (x.connection && !x.connection.socket.write(bytes)) x.client.socket.pause();
}

/** The app has nothing more to say; the client may have. */
export function appEnded(x: Exchange): void {
  if (x.client.socket.readableEnded) finish(x, { isReusable: false });
  else x.client.socket.end();
}

export function clientEnded(x: Exchange): void {
  if (x.connection?.socket.readableEnded) finish(x, { isReusable: false });
  else x.connection?.socket.end();
}
