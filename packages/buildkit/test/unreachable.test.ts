import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { freePort } from "@starform/testkit/docker-registry";
import { makeCertificates } from "@starform/testkit/tls-builder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuilderLost } from "../src/builder-lost.ts";
import { openBuildKit } from "../src/client.ts";
import {
  dockerTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  type TlsEndpoint,
  type Transport,
} from "../src/transport.ts";

describe("a builder that cannot be reached is told with why, and with what to do", () => {
  const stack = new AsyncDisposableStack();
  const [yearMs, now] = [365 * 86_400_000, Date.now()];
  const [certificates, others] = [makeCertificates(), makeCertificates()];
  const expired = selfSignedCertificate("an old client", new Date(now - 25 * yearMs));
  let dir: string;
  let endpoint: TlsEndpoint;
  let closedPort: number;
  let plainPort: number;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "starform-unreachable-"));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    const { ca, client } = certificates;
    endpoint = { host: "127.0.0.1", port: await openTlsPeer(), servername: "builder.test", ca, ...client };
    closedPort = await freePort();
    const plain = createServer((socket) => socket.on("error", () => undefined).end("HTTP/1.1 400\r\n\r\n"));
    await once(plain.listen(0, "127.0.0.1"), "listening");
    stack.defer(() => void plain.close());
    plainPort = (plain.address() as AddressInfo).port;
  });
  afterAll(() => stack.disposeAsync());

  /** OpenSSL's own server tells in TLS why it takes no certificate, as a Go program does and Node does not. */
  async function openTlsPeer(): Promise<number> {
    const port = await freePort();
    const { ca, server } = certificates;
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text, { mode: 0o600 });
      return join(dir, name);
    };
    const own = ["-cert", file("server.crt", server.cert), "-key", file("server.key", server.key)];
    const asking = [
      "-CAfile",
      file("ca.crt", ca + expired.certificate),
      "-Verify",
      "1",
      "-verify_return_error",
    ];
    const args = ["s_server", "-accept", `127.0.0.1:${port}`, ...own, ...asking, "-alpn", "h2"];
    const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
    const ended = once(child, "exit");
    stack.defer(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    let said = "";
    child.stdout.on("data", (data: Buffer) => void (said += data.toString()));
    await until("OpenSSL's server listens", () => said.includes("ACCEPT"));
    return port;
  }

  async function saidOf(transport: Transport): Promise<string> {
    const error: unknown = await openBuildKit(transport).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(BuilderLost);
    return (error as BuilderLost).message;
  }

  test.each<[string, () => Transport, RegExp]>([
    [
      "nothing listens",
      () => tcpTransport("127.0.0.1", closedPort),
      /^cannot reach buildkitd at 127\.0\.0\.1:\d+: nothing listens there .*\. Start it, or correct the address\.$/,
    ],
    [
      "no such host",
      () => tcpTransport("a-builder.invalid", 1),
      /^cannot reach buildkitd at a-builder\.invalid:1: (no name server knows that host .*\. Correct|getaddrinfo )/,
    ],
    [
      "no socket of a buildkitd",
      () => unixTransport(join(dir, "none.sock")),
      /^cannot reach buildkitd at .*none\.sock: there is no such socket .*\. Start it, or correct the path\.$/,
    ],
    [
      "no socket of an engine",
      () => dockerTransport(join(dir, "none.sock")),
      /^cannot reach the Docker Engine at .*none\.sock: there is no such socket .*\. Start it, or correct the path\.$/,
    ],
    [
      "another authority",
      () => tlsTransport({ ...endpoint, ca: others.ca }),
      /not signed by the authority that was given for it .*\. Give the certificate of the authority that signed it\.$/,
    ],
    [
      "another name",
      () => tlsTransport({ ...endpoint, servername: "another.test" }),
      /of another name than the one asked for .*builder\.test.*\. Correct the server's name, or /,
    ],
    [
      "a client's certificate of the past",
      () => tlsTransport({ ...endpoint, cert: expired.certificate, key: expired.key }),
      /^the builder did not let this client in: it refused this client's certificate \(certificate expired\)\. Give one that is valid/,
    ],
    [
      "a client's certificate of another authority",
      () => tlsTransport({ ...endpoint, ...others.client }),
      /^the builder did not let this client in: it refused this client's certificate \(unknown ca\)\. Give one/,
    ],
    [
      "no client's certificate",
      () => tlsTransport({ ...endpoint, cert: "", key: "" }),
      /^the builder did not let this client in: it refused this client's certificate \(certificate required\)\. Give one/,
    ],
    [
      "a port without TLS",
      () => tlsTransport({ ...endpoint, port: plainPort }),
      /it does not speak TLS there \(.*wrong version number.*\)\. Use its port with TLS, or /,
    ],
    [
      "a port that asks for TLS",
      () => tcpTransport("127.0.0.1", endpoint.port),
      /^the builder did not let this client in: .*\. See what it logs: .*TLS only/,
    ],
    [
      "a server of something else",
      () => tcpTransport("127.0.0.1", plainPort),
      /^the builder did not let this client in: .*\. See what it logs: .*no BuildKit\.$/,
    ],
  ])("%s", async (_what, transport, words) => {
    expect(await saidOf(transport())).toMatch(words);
  });

  test.skipIf(process.getuid?.() !== 0)("a socket that this user may not open", async () => {
    const path = join(dir, "closed.sock");
    const server = createServer();
    await once(server.listen(path), "listening");
    chmodSync(path, 0o600);
    chmodSync(dir, 0o755);
    for (const transport of [unixTransport(path), dockerTransport(path)]) {
      process.seteuid!(65_534);
      const said = saidOf(transport).finally(() => process.seteuid!(0));
      expect(await said).toMatch(
        /this user may not open its socket .*\. Add the user to the group of the socket, or /,
      );
    }
    server.close();
  });
});
