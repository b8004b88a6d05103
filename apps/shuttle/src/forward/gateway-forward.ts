import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { wordsOf } from "@starform/std/fault";
import type { Address } from "./gateway-address.ts";

const connectWithinMs = 5_000;

/**
 * Listens on loopback and hands every connection on to the cluster's gateway, byte for byte: the host that was asked for
 * reaches it as it was written. Who comes while there is none gets a 503 with the reason.
 */
export async function openGatewayForward(options: {
  readonly port: number;
  readonly address: () => Promise<Address | undefined>;
}): Promise<AsyncDisposable & { readonly port: number }> {
  const open = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    return socket.once("close", () => open.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client).on("error", () => client.destroy());
    client.pause();
    options.address().then(
      (address) => {
        if (!address)
          return refuse(
            client,
            "the cluster's gateway has no address yet: see ./starform cluster doctor --without-shuttle",
          );
        forward(client, keep(connect({ ...address, allowHalfOpen: true })), address);
      },
      (error: unknown) => refuse(client, `the cluster does not say where its gateway is: ${wordsOf(error)}`),
    );
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function forward(client: Socket, upstream: Socket, { host, port }: Address): void {
  upstream.setTimeout(connectWithinMs, () => upstream.destroy(new Error("no answer in time")));
  upstream.once("connect", () => {
    upstream.setTimeout(0);
    client.pipe(upstream).pipe(client);
  });
  upstream.on("error", (error) => {
    if (upstream.bytesRead > 0 || !upstream.pending) client.destroy();
    else
      refuse(
        client,
        `the cluster's gateway at ${host}:${port} cannot be reached from here: ${wordsOf(error)}. Where it has another address, say so with --gateway-address`,
      );
  });
  client.once("close", () => upstream.destroy());
}

/** Answers without having read what was asked. */
function refuse(client: Socket, why: string): void {
  const body = `${why}\n`;
  client.resume();
  client.end(
    `HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
