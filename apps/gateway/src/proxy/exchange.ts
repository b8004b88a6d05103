import type { Socket } from "node:net";
import type { BodyReader } from "../http1/body.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { Route, RouteTable } from "../routing/route-table.ts";
import type { IdleConnection, Upstream } from "../routing/upstream.ts";
import type { AccessLog } from "../telemetry/access-log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Limits } from "./limits.ts";

/** What every connection shares. */
export type Gateway = {
  readonly table: RouteTable;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly access: AccessLog;
  readonly clients: Set<Client>;
  readonly events: ConnectionEvents;
  isClosing: boolean;
};

/**
 * A client's connection. It has one exchange at a time; what it sends ahead waits in `pending`. `sinceMs` and
 * `limitMs` are what the sweep looks at: the last progress, and how long it may be ago.
 */
export type Client = {
  readonly gateway: Gateway;
  readonly socket: Socket;
  readonly remote: string;
  /** The door that it came in by, of a network of apps; undefined for the world's. */
  readonly door: string | undefined;
  state: "head" | "exchange" | "tunnel" | "lingering";
  exchange: Exchange | undefined;
  pending: Buffer | undefined;
  sinceMs: number;
  limitMs: number;
  /** Goes on with the next request of this connection. */
  readonly next: () => void;
};

/** A connection to an app: lent to one exchange, or idle. */
export type UpstreamConnection = IdleConnection & {
  readonly socket: Socket;
  readonly upstream: Upstream;
  readonly gateway: Gateway;
  exchange: Exchange | undefined;
  isConnected: boolean;
  /** It has served a request before: the app may have closed it while it lay idle. */
  isReused: boolean;
  isClosed: boolean;
  /** A tunnel is no longer counted among the HTTP sockets. */
  isCounted: boolean;
};

/** What happens on a connection to an app. Bytes are valid during the call only. */
export type ConnectionEvents = {
  connected(connection: UpstreamConnection): void;
  bytes(connection: UpstreamConnection, bytes: Buffer): void;
  drained(connection: UpstreamConnection): void;
  ended(connection: UpstreamConnection): void;
  closed(connection: UpstreamConnection, error: NodeJS.ErrnoException | undefined): void;
};

/** One request and its answer, from the head to the last byte. Plain data: the functions beside this file move it along. */
export type Exchange = {
  readonly gateway: Gateway;
  readonly client: Client;
  readonly head: RequestHead;
  readonly requestId: string;
  readonly startedMs: number;
  readonly startedAtMs: number;
  /** Idempotent, without a body and not an upgrade: it may be sent twice, so it may use a connection that could be dead. */
  readonly isReplayable: boolean;
  readonly requestBody: BodyReader;
  route: Route | undefined;
  /** The instance that is counted as busy with this exchange. */
  upstream: Upstream | undefined;
  connection: UpstreamConnection | undefined;
  /** The instance of the last attempt, for the record. */
  servedBy: Upstream | undefined;
  readonly tried: Upstream[];
  failures: number;
  isRequestSent: boolean;
  requestBytes: number;
  /** The beginning of an answer's head that is not whole yet. */
  held: Buffer | undefined;
  sawResponseByte: boolean;
  response: ResponseHead | undefined;
  responseBody: BodyReader | undefined;
  /** How the answer's body is passed on: as it comes, put into chunks, or taken out of them. */
  passing: "raw" | "into_chunks" | "out_of_chunks";
  responseBytes: number;
  receivedBytes: number;
  sentBytes: number;
  status: number;
  flag: string;
  /** The client's connection ends with this answer. */
  isLast: boolean;
  isTunnel: boolean;
  isDone: boolean;
};

export const nowMs = (): number => performance.now();

/** Progress was made: the sweep counts from now, with the limit of the phase that begins. */
export function touch(client: Client, limitMs = client.limitMs): void {
  client.sinceMs = nowMs();
  client.limitMs = limitMs;
}

/** Holds what a client sent before its turn, and stops reading until there is room. */
export function holdBack(client: Client, bytes: Buffer): void {
  if (bytes.length > 0) client.pending = client.pending ? Buffer.concat([client.pending, bytes]) : bytes;
  client.socket.pause();
}
