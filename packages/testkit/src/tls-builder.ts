import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { dockerTransport, type TlsEndpoint } from "@starform/buildkit/transport";

/** A builder that is reached over TCP, where both sides show certificates. */
export type TlsBuilder = {
  readonly endpoint: TlsEndpoint;
  /** Cuts every connection; new ones are taken again. */
  cut(): void;
} & AsyncDisposable;

/** Certificates of one authority: for a server named `builder.test`, and for its clients. PEM texts. */
export type Certificates = {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
};

/** A BuildKit endpoint that asks for client certificates: TLS in front of the builder inside a Docker Engine. */
export async function openTlsBuilder(
  engineSocket: string,
  { ca, server: own, client }: Certificates = makeCertificates(),
): Promise<TlsBuilder> {
  const sockets = new Set<TLSSocket>();
  const asking = { ca, ...own, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] };
  const server = createServer(asking, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    carry(engineSocket, socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    endpoint: { host: "127.0.0.1", port, servername: "builder.test", ca, ...client },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

/** Carries bytes between a client and the engine's builder until either side leaves. */
function carry(engineSocket: string, socket: TLSSocket): void {
  dockerTransport(engineSocket)
    .openControl()
    .then(
      (builder) => {
        builder.on("error", () => undefined).on("close", () => socket.destroy());
        socket.on("close", () => builder.destroy());
        if (socket.destroyed) builder.destroy();
        else socket.pipe(builder).pipe(socket);
      },
      () => socket.destroy(),
    );
}

export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "starform-tls-"));
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const read = (name: string): string => readFileSync(join(dir, name), "utf8");
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" ");
  const signing = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names".split(" ");
  try {
    openssl(
      "req",
      "-x509",
      ...key,
      ..."-keyout ca.key -out ca.crt -days 2 -subj".split(" "),
      "/CN=test authority",
    );
    writeFileSync(join(dir, "names"), "subjectAltName=DNS:builder.test\n");
    const pairOf = (name: string) => {
      openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...signing);
      return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
    };
    return { ca: read("ca.crt"), server: pairOf("server"), client: pairOf("client") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
