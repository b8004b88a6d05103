import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openDockerEngine } from "@starform/testkit/docker-engine";
import { openPlainRegistry, requireRegistryInCi } from "@starform/testkit/docker-registry";
import { buildkitBuildService, type BuildKitServiceOptions } from "../src/adapters/buildkit/build-service.ts";
import type { BuilderUnderTest } from "./a-build.ts";
import { builderEngine, commandLines, holdsText } from "./builder-engine.ts";

/** The BuildKit builder over a Docker Engine of its own. */
export async function openBuildkitBuilder(): Promise<BuilderUnderTest> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(path.join(tmpdir(), "buildkit-builder-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const { socketPath } = stack.use(await openDockerEngine());
  const engine = builderEngine(socketPath);
  // Beside the engine's own: what it is bounded by is found there.
  const line = stack.use(await openLine(socketPath, path.join(path.dirname(socketPath), "line.sock")));
  const options: Omit<BuildKitServiceOptions, "log"> = {
    engineSocket: line.socketPath,
    cacheDir: path.join(dir, "cache"),
    workDir: path.join(dir, "work"),
  };
  await engine.prepareBases(path.join(options.cacheDir, "bases"));
  const builds = stack.use(buildkitBuildService({ ...options, log: (text) => console.error(text) }));
  const hub = requireRegistryInCi() ? stack.use(await openPlainRegistry(path.join(dir, "hub"))) : undefined;
  const another = stack.use(buildkitBuildService({ ...options, log: (text) => console.error(text) }));
  const open = stack.move();
  return {
    builds,
    another,
    dir,
    holdsLimits: true,
    measures: ["sentBytes", "layers"],
    lastWords: "image ",
    buildsOnImages: true,
    ...(hub && { publicImage: (dockerfile: string) => engine.publicImage(hub.host, dockerfile) }),
    loseConnections: line.cut,
    async imagesOf({ projectId, serviceId }) {
      const repo = `starform.local/${projectId}/${serviceId}`;
      return (await engine.imagesOf(repo)).map((id) => `${repo}@${id}`);
    },
    imageHolds: (_image, text) => holdsText(path.join(path.dirname(socketPath), "data"), text),
    fileOf: (image, file) => engine.printed(idOf(image), ["cat", `/app/${file}`]),
    async killedAt(spec, text) {
      const file = path.join(dir, `${spec.buildId}.json`);
      await writeFile(file, JSON.stringify({ options, spec }));
      const script = fileURLToPath(new URL("fixtures/build-in-engine-and-wait.ts", import.meta.url));
      const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
      for await (const line of createInterface(child.stdout))
        if (line.startsWith(text)) child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    isRunning: async (text) => (await commandLines()).some((line) => line.includes(text)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

const idOf = (image: string): string => image.slice(image.indexOf("@") + 1);

/** A socket that leads to another, until its connections are cut; new ones are taken again. */
async function openLine(target: string, socketPath: string) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: target, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy()).on("close", () => sockets.delete(socket));
    }
    client.pipe(engine).pipe(client);
  });
  await once(server.listen(socketPath), "listening");
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    socketPath,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
