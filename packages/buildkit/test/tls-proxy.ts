import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { dockerTransport, type TlsEndpoint } from "../src/transport.ts";

export type TlsBuilder = { readonly endpoint: TlsEndpoint } & AsyncDisposable;

/** A BuildKit endpoint that asks for client certificates: TLS in front of an engine's builder. */
export async function openTlsBuilder(engineSocket: string): Promise<TlsBuilder> {
  const dir = mkdtempSync(join(tmpdir(), "starform-tls-"));
  const read = (name: string): string => readFileSync(join(dir, name), "utf8");
  makeCertificates(dir);
  const ca = read("ca.crt");
  const sockets = new Set<TLSSocket>();
  const options = {
    ca,
    cert: read("server.crt"),
    key: read("server.key"),
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = createServer({ ...options, ALPNProtocols: ["h2"] }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    dockerTransport(engineSocket)
      .openControl()
      .then(
        (builder) => {
          builder.on("error", () => undefined).on("close", () => socket.destroy());
          socket.on("close", () => builder.destroy());
          socket.pipe(builder).pipe(socket);
        },
        () => socket.destroy(),
      );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: {
      host: "127.0.0.1",
      port,
      servername: "builder.test",
      ca,
      cert: read("client.crt"),
      key: read("client.key"),
    },
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, "close");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function makeCertificates(dir: string): void {
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  );
  writeFileSync(join(dir, "names"), "subjectAltName=DNS:builder.test\n");
  for (const name of ["server", "client"]) {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signing = [
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "names",
    ];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...signing);
  }
}
