import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { registryTokenPath } from "@starform/std/docker-registry-config";

export type DoorOptions = {
  /** Undefined: every address of this machine. */
  readonly host?: string | undefined;
  readonly port: number;
  /** `host:port`, as nodes name it. */
  readonly address: string;
  /** Key and certificate, one after the other; without them it speaks plain HTTP. */
  readonly pem?: string | undefined;
  readonly registryPort: number;
  readonly apiPort: number;
};

/**
 * Lets the nodes of a cluster pull from the registry of this machine, and do nothing else: only reading, and the tokens to
 * read with. The registry and Starbase stay on loopback; who pulls must sign in as everywhere.
 */
export async function openRegistryDoor(
  options: DoorOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { pem } = options;
  const serve = (asked: IncomingMessage, answer: ServerResponse) => pass(asked, answer, options);
  const server = pem ? createTlsServer({ key: pem, cert: pem }, serve) : createServer(serve);
  server.listen({ port: options.port, ...(options.host ? { host: options.host } : {}) });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function pass(asked: IncomingMessage, answer: ServerResponse, options: DoorOptions): void {
  const port = portFor(asked, options);
  if (port === undefined) {
    answer.writeHead(403, { "content-type": "text/plain" }).end("images are pulled here, and nothing else\n");
    return;
  }
  const { method, url, headers } = asked;
  const sent = request({ host: "127.0.0.1", port, method, path: url, headers: { ...headers } }, (got) => {
    answer.writeHead(got.statusCode ?? 502, { ...got.headers, ...challengeOf(got, options) });
    got.pipe(answer);
    got.once("error", () => answer.destroy());
  });
  sent.once("error", () => {
    if (answer.headersSent) return answer.destroy();
    answer.writeHead(503, { "content-type": "text/plain" }).end("the registry does not answer\n");
  });
  answer.once("close", () => sent.destroy());
  asked.pipe(sent);
}

function portFor({ method = "", url = "" }: IncomingMessage, options: DoorOptions): number | undefined {
  const path = url.split("?", 1)[0]!;
  if (path === registryTokenPath && ["GET", "POST"].includes(method)) return options.apiPort;
  const isRead = path.startsWith("/v2/") && ["GET", "HEAD"].includes(method);
  return isRead ? options.registryPort : undefined;
}

/** The registry says where its tokens are, which is on loopback: for who comes by the door they are beside it. */
function challengeOf({ headers }: IncomingMessage, { address, pem }: DoorOptions): Record<string, string> {
  const challenge = headers["www-authenticate"];
  if (!challenge) return {};
  const realm = `${pem ? "https" : "http"}://${address}${registryTokenPath}`;
  return { "www-authenticate": challenge.replace(/realm="[^"]*"/, `realm="${realm}"`) };
}
