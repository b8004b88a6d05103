import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { dockerRegistryConfig } from "@starform/std/docker-registry-config";
import { until } from "@starform/std/retry";

export type DockerRegistry = {
  readonly host: string;
  readonly storageDir: string;
  readonly configFile: string;
} & AsyncDisposable;

const program = "docker-registry";

/**
 * Whether a test that needs docker-registry runs: true where Debian's package is, false on a laptop without it. Throws
 * where `CI` is set and there is none, so that a gate which tests nothing cannot pass.
 */
export function requireRegistryInCi(): boolean {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  const isThere = dirs.some((dir) => existsSync(join(dir, program)));
  if (!isThere && process.env["CI"])
    throw new Error("CI must test against a real registry: install Debian's docker-registry");
  return isThere;
}

/** Starts docker-registry in `dir` as the platform does; resolves when it answers. */
export async function openDockerRegistry(options: {
  readonly dir: string;
  readonly port: number;
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly certificate: string;
}): Promise<DockerRegistry> {
  const { dir, port, certificate } = options;
  const [storageDir, configFile] = [join(dir, "storage"), join(dir, "config.yml")];
  const certificateFile = join(dir, "certificate.pem");
  mkdirSync(storageDir, { recursive: true });
  writeFileSync(certificateFile, certificate, { mode: 0o600 });
  writeFileSync(configFile, dockerRegistryConfig({ ...options, storageDir, certificateFile }));
  return { host: `127.0.0.1:${port}`, storageDir, configFile, ...(await serve(configFile, port, 401)) };
}

/** Starts docker-registry in `dir` without any sign-in, as a stand-in for Docker Hub; resolves when it answers. */
export async function openPlainRegistry(dir: string): Promise<{ readonly host: string } & AsyncDisposable> {
  const port = await freePort();
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(dir, "storage") } },
    http: { addr: `127.0.0.1:${port}` },
  };
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  return { host: `127.0.0.1:${port}`, ...(await serve(join(dir, "config.json"), port, 200)) };
}

async function serve(configFile: string, port: number, status: number): Promise<AsyncDisposable> {
  const child = spawn(program, ["serve", configFile], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  await until("docker-registry to answer", async () => {
    if (child.exitCode !== null) throw new Error(`docker-registry ended:\n${said}`);
    return (await statusOf(port)) === status;
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { [Symbol.asyncDispose]: stop };
}

const statusOf = (port: number): Promise<number> =>
  new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/v2/", agent: false, timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on("timeout", () => sent.destroy()).on("error", () => resolve(0));
    sent.end();
  });

/** A port of the loopback that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
