import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureBaseImages } from "@starform/buildkit/base-images";
import { openDockerEngine } from "@starform/testkit/docker-engine";
import { buildkitBuildService, type BuildKitServiceOptions } from "../src/adapters/buildkit/build-service.ts";
import type { BuilderUnderTest } from "./build-service.contract.ts";

const run = promisify(execFile);

/** The BuildKit builder over a Docker Engine of its own. */
export async function openBuildkitBuilder(): Promise<BuilderUnderTest> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(path.join(tmpdir(), "buildkit-builder-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const { socketPath } = stack.use(await openDockerEngine());
  const engine = engineOf(socketPath);
  const options: Omit<BuildKitServiceOptions, "log"> = {
    engineSocket: socketPath,
    cacheDir: path.join(dir, "cache"),
    workDir: path.join(dir, "work"),
  };
  const bases = await ensureBaseImages(socketPath, {
    cacheDir: path.join(options.cacheDir, "bases"),
    nodeVersion: process.versions.node,
    form: "host",
    log: () => undefined,
  });
  // The suite's plans start from an image of this name.
  await engine("POST", `/images/${encodeURIComponent(bases.builder)}/tag?repo=base&tag=latest`);
  const builds = stack.use(buildkitBuildService({ ...options, log: (text) => console.error(text) }));
  const open = stack.move();
  return {
    builds,
    dir,
    measures: ["sentBytes", "layers"],
    async imagesOf({ projectId, serviceId }) {
      const repo = `starform.local/${projectId}/${serviceId}`;
      const filters = encodeURIComponent(JSON.stringify({ reference: [repo] }));
      const found = JSON.parse((await engine("GET", `/images/json?filters=${filters}`)).toString()) as {
        Id: string;
      }[];
      return found.map(({ Id }) => `${repo}@${Id}`);
    },
    // All the engine keeps: layers, configs, histories, and its cache of steps.
    imageHolds: (_image, text) =>
      run("grep", ["-rqsF", "-D", "skip", "--", text, path.join(path.dirname(socketPath), "data")]).then(
        () => true,
        () => false,
      ),
    async fileOf(image, file) {
      const asked = {
        Image: idOf(image),
        Tty: true,
        Entrypoint: ["cat", `/app/${file}`],
        HostConfig: { NetworkMode: "none" },
      };
      const { Id } = JSON.parse((await engine("POST", "/containers/create", asked)).toString()) as {
        Id: string;
      };
      await engine("POST", `/containers/${Id}/start`);
      await engine("POST", `/containers/${Id}/wait`);
      const printed = await engine("GET", `/containers/${Id}/logs?stdout=1&stderr=1`);
      await engine("DELETE", `/containers/${Id}?force=1`);
      return printed.toString().replaceAll("\r\n", "\n");
    },
    async killedAt(spec, text) {
      const file = path.join(dir, `${spec.buildId}.json`);
      await writeFile(file, JSON.stringify({ options, spec }));
      const script = fileURLToPath(new URL("fixtures/build-in-engine-and-wait.ts", import.meta.url));
      const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
      for await (const line of createInterface(child.stdout)) if (line === text) child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    isRunning: async (text) => (await commandLines()).some((line) => line.includes(text)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

const idOf = (image: string): string => image.slice(image.indexOf("@") + 1);

const engineOf =
  (socketPath: string) =>
  (method: string, url: string, body?: unknown): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "Content-Type": "application/json" };
      const asked = request({ socketPath, method, path: url, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks);
          if ((response.statusCode ?? 500) < 400) resolve(answer);
          else reject(new Error(`${method} ${url}: ${response.statusCode} ${answer.toString()}`));
        });
      });
      asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });

async function commandLines(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/cmdline`, "utf8").then(
        (text) => text.replaceAll("\0", " "),
        () => "",
      ),
    ),
  );
}
