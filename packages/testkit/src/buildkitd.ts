import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { makeCertificates, type TlsBuilder } from "./tls-builder.ts";

export type Buildkitd = TlsBuilder & {
  /** Where it keeps what it built. */
  readonly dataDir: string;
  /** Where it serves whoever may open it, without certificates. */
  readonly socketPath: string;
};

/**
 * The `buildkitd` of a path, by itself: it asks for client certificates, runs its steps with Debian's runc in the machine's own
 * network, reads the images of Docker Hub at `hub` and pushes to `registry`, both on loopback without TLS.
 */
export async function openBuildkitd(
  program: string,
  { hub, registry }: { readonly hub: string; readonly registry: string },
): Promise<Buildkitd> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "starform-buildkitd-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const { ca, server, client } = makeCertificates();
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const plain = (host: string): string => `[registry."${host}"]\n  http = true\n`;
  const [dataDir, socketPath] = [join(dir, "data"), join(dir, "buildkitd.sock")];
  const config = `root = "${dataDir}"
[grpc]
  address = ["tcp://127.0.0.1:0", "unix://${socketPath}"]
[grpc.tls]
  ca = "${file("ca.crt", ca)}"
  cert = "${file("server.crt", server.cert)}"
  key = "${file("server.key", server.key)}"
[worker.containerd]
  enabled = false
[worker.oci]
  binary = "runc"
  networkMode = "host"
[registry."docker.io"]
  mirrors = ["${hub}"]
${plain(hub)}${plain(registry)}`;
  const child = spawn(program, ["--config", file("buildkitd.toml", config)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  stack.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const port = await until(
    "buildkitd serves",
    async () => {
      if (child.exitCode !== null) throw new Error(`buildkitd ended:\n${said}`);
      return /running server on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    },
    { withinMs: 30_000 },
  );
  const way = stack.use(await openWay(Number(port)));
  const opened = stack.move();
  return {
    endpoint: { host: "127.0.0.1", port: way.port, servername: "builder.test", ca, ...client },
    dataDir,
    socketPath,
    cut: way.cut,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A way to a port of loopback that can be cut. */
async function openWay(to: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const there = connect({ host: "127.0.0.1", port: to });
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => undefined).on("close", () => (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
