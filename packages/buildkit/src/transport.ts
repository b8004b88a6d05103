import { request } from "node:http";
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { BuilderLost } from "./builder-lost.ts";
import { unreachable } from "./unreachable.ts";

/** How to reach a builder. Everything above it is the same for each. */
export type Transport = {
  /** For messages to people: what is connected to. */
  readonly name: string;
  /** A byte stream on which the builder serves gRPC. */
  openControl(): Promise<Duplex>;
  /** A byte stream on which the builder is the client; without it the session travels inside the control stream. */
  readonly openSession?: (offer: SessionOffer) => Promise<Duplex>;
  /** A Docker Engine's own API, where there is one: the exporter into its image store, and sizes, are asked there. */
  readonly engineSocket?: string;
  /** How calls are compressed, for builders that ask for it. */
  readonly encoding?: "gzip";
};

/** What the client's side of a session announces. */
export type SessionOffer = {
  readonly id: string;
  readonly name: string;
  /** Sessions with the same key reuse what they sent before. */
  readonly sharedKey: string;
  readonly methods: readonly string[];
};

const connectTimeoutMs = 15_000;

/** The BuildKit inside a Docker Engine (20.10 and later), over its API socket. */
export const dockerTransport = (socketPath: string): Transport => ({
  name: `the Docker Engine at ${socketPath}`,
  engineSocket: socketPath,
  openControl: () => upgrade(socketPath, "/grpc", {}),
  openSession: (offer) => upgrade(socketPath, "/session", sessionHeaders(offer)),
});

/** A buildkitd on a unix socket. */
export const unixTransport = (path: string): Transport => ({
  name: `buildkitd at ${path}`,
  openControl: () => connected(connectSocket(path), "connect", `buildkitd at ${path}`),
});

export type TlsEndpoint = {
  readonly host: string;
  readonly port: number;
  /** The name the server's certificate must carry. */
  readonly servername: string;
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
};

/** A buildkitd over TCP in the clear: for one's own machine only, since whoever reaches it runs what he likes there. */
export const tcpTransport = (host: string, port: number): Transport => ({
  name: `buildkitd at ${host}:${port}`,
  openControl: () => connected(connectSocket({ host, port }), "connect", `buildkitd at ${host}:${port}`),
});

/** A buildkitd over TCP where both sides show certificates. */
export const tlsTransport = ({ host, port, servername, ca, cert, key }: TlsEndpoint): Transport => ({
  name: `buildkitd at ${host}:${port}`,
  openControl: () =>
    connected(
      connectTls({ host, port, servername, ca, cert, key, ALPNProtocols: ["h2"], minVersion: "TLSv1.2" }),
      "secureConnect",
      `buildkitd at ${host}:${port}`,
    ),
});

/** The headers that announce a session; the same names travel as gRPC metadata. */
export const sessionHeaders = (offer: SessionOffer): Record<string, string | string[]> => ({
  "x-docker-expose-session-uuid": offer.id,
  "x-docker-expose-session-name": offer.name,
  "x-docker-expose-session-sharedkey": offer.sharedKey,
  "x-docker-expose-session-grpc-method": [...offer.methods],
});

function connected(socket: Socket, event: string, name: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(unreachable(name, error));
    };
    socket.setTimeout(connectTimeoutMs, () => fail(noAnswer()));
    socket.once("error", fail);
    socket.once(event, () => {
      socket.setTimeout(0);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

const noAnswer = (): Error =>
  Object.assign(new Error(`within ${connectTimeoutMs / 1000} s`), { code: "ETIMEDOUT" });

function upgrade(
  socketPath: string,
  path: string,
  headers: Record<string, string | string[]>,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      path,
      method: "POST",
      headers: { ...headers, Connection: "Upgrade", Upgrade: "h2c" },
      timeout: connectTimeoutMs,
    });
    const name = `the Docker Engine at ${socketPath}`;
    asked.on("upgrade", (_response, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.on("response", (response) => {
      response.resume();
      reject(
        new BuilderLost(
          `cannot reach the BuildKit of ${name}: it answered ${response.statusCode} to ${path}. Use Docker 20.10 or later.`,
        ),
      );
    });
    asked.on("timeout", () => asked.destroy(noAnswer()));
    asked.on("error", (error) => reject(unreachable(name, error)));
    asked.end();
  });
}
