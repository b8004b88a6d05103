import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, Server as TlsServer } from "node:tls";
import { makeCertificates } from "@starform/testkit/tls-builder";
import {
  dockerTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  type Transport,
} from "../src/transport.ts";

/** A way to a builder that can be lost. */
export type Relay = {
  readonly transport: Transport;
  /** Ends every connection, at both ends. */
  cut(): void;
  /** Says towards the client that no more will come, and goes on listening. */
  hangUp(): void;
} & AsyncDisposable;

type Builder = () => Promise<Duplex>;

/** By what the client reaches the builder over; for `docker` the builder is an engine's own socket. */
export const relays: Readonly<
  Record<"docker" | "unix" | "tcp" | "tls", (builder: Builder) => Promise<Relay>>
> = {
  docker: (builder) => overUnix(builder, dockerTransport),
  unix: (builder) => overUnix(builder, unixTransport),
  tcp: (builder) =>
    relay(createPlainServer({ allowHalfOpen: true }), builder, async (server) => {
      await once(server.listen(0, "127.0.0.1"), "listening");
      return tcpTransport("127.0.0.1", portOf(server));
    }),
  tls: (builder) => {
    const { ca, server: own, client } = makeCertificates();
    const asking = { ca, ...own, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] };
    return relay(createTlsServer({ ...asking, allowHalfOpen: true }), builder, async (server) => {
      await once(server.listen(0, "127.0.0.1"), "listening");
      return tlsTransport({
        host: "127.0.0.1",
        port: portOf(server),
        servername: "builder.test",
        ca,
        ...client,
      });
    });
  },
};

async function overUnix(builder: Builder, to: (path: string) => Transport): Promise<Relay> {
  const dir = mkdtempSync(join(tmpdir(), "starform-relay-"));
  const path = join(dir, "relay.sock");
  const opened = await relay(createPlainServer({ allowHalfOpen: true }), builder, async (server) => {
    await once(server.listen(path), "listening");
    return to(path);
  });
  return {
    ...opened,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function relay(
  server: Server,
  builder: Builder,
  listen: (server: Server) => Promise<Transport>,
): Promise<Relay> {
  const clients = new Set<Socket>();
  const take = (client: Socket): void => {
    clients.add(client);
    client.on("error", () => undefined).on("close", () => clients.delete(client));
    builder().then(
      (far) => {
        far.on("error", () => undefined).on("close", () => client.destroy());
        client.on("close", () => far.destroy());
        if (client.destroyed) far.destroy();
        client.pipe(far);
        far.on("data", (data: Buffer) => void (client.writable && client.write(data)));
        far.on("end", () => client.end());
      },
      () => client.destroy(),
    );
  };
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", take);
  const transport = await listen(server);
  const cut = (): void => clients.forEach((client) => client.destroy());
  return {
    transport,
    cut,
    hangUp: () => clients.forEach((client) => client.end()),
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
