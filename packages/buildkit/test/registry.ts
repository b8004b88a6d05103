import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { freePort } from "@starform/testkit/docker-registry";

export const registryUser = { username: "builder", password: "let-me-push" } as const;
/** The pair above as htpasswd writes it (bcrypt). */
const passwordFile = "builder:$2b$05$Bv9NT9ZjnwnzMj3b4G20DudUA5kvaU75YvfcRP4r2d1AYibJpztf2\n";

export type TestRegistry = {
  readonly host: string;
  /** The body of what lies there; undefined where there is nothing. */
  get(path: string): Promise<Buffer | undefined>;
} & AsyncDisposable;

/** Debian's docker-registry on loopback, which lets one user in. */
export async function openRegistry(): Promise<TestRegistry> {
  const dir = mkdtempSync(join(tmpdir(), "starform-registry-"));
  const port = await freePort();
  writeFileSync(join(dir, "users"), passwordFile);
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(dir, "data") } },
    http: { addr: `127.0.0.1:${port}` },
    auth: { htpasswd: { realm: "test", path: join(dir, "users") } },
  };
  writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", join(dir, "config.json")], { stdio: "ignore" });
  const ended = once(child, "exit");
  const get = (path: string): Promise<Buffer | undefined> =>
    new Promise((resolve, reject) => {
      const auth = `${registryUser.username}:${registryUser.password}`;
      const accept =
        "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
      request({ host: "127.0.0.1", port, path, auth, headers: { accept }, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => resolve(response.statusCode === 200 ? Buffer.concat(chunks) : undefined));
      })
        .on("error", reject)
        .end();
    });
  await until("the registry answers", async () => (await get("/v2/")) !== undefined);
  return {
    host: `127.0.0.1:${port}`,
    get,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
