import { connectFailed, repeatFresh } from "./attempt.ts";
import { type ConnectionEvents, type Exchange, touch, type UpstreamConnection } from "./exchange.ts";
import { finish } from "./finish.ts";
import { refuse } from "./refuse.ts";
import { sendRequest } from "./request.ts";
import { endOfConnection, takeResponse } from "./response.ts";
import { appEnded, tunnelToClient } from "./tunnel.ts";

/** What an event on a connection to an app means for the exchange that holds it. */
export const appEvents: ConnectionEvents = {
  connected(connection) {
    if (connection.exchange) sendRequest(connection.exchange);
    else connection.close();
  },

  bytes(connection, bytes) {
    const x = connection.exchange;
    if (!x) return connection.close(); // An idle connection has nothing to say: whatever this is, it is no answer.
    if (x.isTunnel) {
      x.receivedBytes += bytes.length;
      tunnelToClient(x, bytes);
    } else takeResponse(x, bytes);
  },

  drained({ exchange: x }) {
    if (!x) return;
    touch(x.client);
    if (x.client.pending === undefined) x.client.socket.resume();
  },

  ended(connection) {
    const x = connection.exchange;
    if (x?.isTunnel) appEnded(x);
    else if (!x || !endOfConnection(x)) connection.close();
  },

  closed(connection, error) {
    const x = connection.exchange;
    connection.exchange = undefined;
    if (x) lost(x, connection, error);
  },
};

function lost(x: Exchange, connection: UpstreamConnection, error: NodeJS.ErrnoException | undefined): void {
  x.connection = undefined;
  if (!connection.isConnected)
    return connectFailed(x, error?.code === "ETIMEDOUT" ? "connect_timeout" : "connect_failed");
  if (x.isTunnel) {
    if (error) x.flag = "UC";
    return finish(x, { isReusable: false });
  }
  if (!x.sawResponseByte && connection.isReused && x.isReplayable) return repeatFresh(x);
  refuse(x, "closed_early");
}
