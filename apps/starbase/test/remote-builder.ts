import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport, tlsTransport } from "@starform/buildkit/transport";
import { openBuildkitd } from "@starform/testkit/buildkitd";
import { openFakeDepot, type FakeDepot } from "@starform/testkit/depot/fake-depot";
import { openDockerEngine } from "@starform/testkit/docker-engine";
import { openPlainRegistry } from "@starform/testkit/docker-registry";
import { openTestDatabase } from "@starform/testkit/postgres";
import { openTlsBuilder } from "@starform/testkit/tls-builder";
import { secretBox } from "../src/adapters/local/secret-box.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import type { BuildServiceConfig } from "../src/build-service-config.ts";
import type { BuildSpec } from "../src/ports/build-service.ts";
import type { CronJob } from "../src/ports/job-queue.ts";
import type { RegistryProvider } from "../src/ports/registry-provider.ts";
import type { BuilderUnderTest } from "./a-build.ts";
import { builderEngine, commandLines, holdsText } from "./builder-engine.ts";
import { remoteBuilds, type WorkerOptions } from "./fixtures/remote-builds.ts";
import { openRegistryForBuilds } from "./registry-for-builds.ts";

export type RemoteBuilderUnderTest = BuilderUnderTest & {
  readonly depot: FakeDepot | undefined;
  readonly database: Database;
  readonly registry: RegistryProvider;
  /** Where the engine keeps what it built. */
  readonly engineDir: string;
  readonly crons: readonly CronJob[];
  readonly databaseUrl: string;
  /** What the builder keeps for builds to come, and no image has. */
  cacheBytes(): Promise<number>;
};

const encryptionKey = `k1:${Buffer.alloc(32, 7).toString("base64")}`;
export const boxOfTests = secretBox(encryptionKey);

type RemoteBuilderOptions = {
  readonly cacheGb?: number;
  /** A `buildkitd` to build in, in place of the BuildKit in a Docker Engine. */
  readonly buildkitd?: string;
};

/** Depot's genuine SDK before a fake of its API, or a BuildKit endpoint alone; a real builder, registry and database. */
export async function openRemoteBuilder(
  kind: "depot" | "buildkit",
  { cacheGb = 30, buildkitd }: RemoteBuilderOptions = {},
): Promise<RemoteBuilderUnderTest> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(path.join(tmpdir(), `${kind}-builder-`));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const { socketPath } = stack.use(await openDockerEngine());
  const engine = builderEngine(socketPath);
  const bases = await engine.prepareSmallBase(path.join(dir, "bases"));
  const depot = kind === "depot" ? stack.use(await openFakeDepot({ engineSocket: socketPath })) : undefined;
  const { place, registry } = stack.use(await openRegistryForBuilds(path.join(dir, "registry")));
  const hub = stack.use(await openPlainRegistry(path.join(dir, "hub")));
  if (buildkitd) await engine.push("base:latest", { repo: `${hub.host}/library/base`, tag: "latest" });
  const alone = buildkitd
    ? stack.use(await openBuildkitd(buildkitd, { hub: hub.host, registry: registry.host }))
    : undefined;
  const machine = depot ? undefined : (alone ?? stack.use(await openTlsBuilder(socketPath)));
  const { url } = stack.use(await openTestDatabase());
  const database = stack.use(openDatabase({ url, poolMax: 10, onError: () => undefined }));
  const config: BuildServiceConfig = depot
    ? { kind: "depot", apiUrl: depot.url, token: depot.token, regionId: "eu-central-1", cacheGb, bases }
    : { kind: "buildkit", endpoint: { kind: "tls", ...machine!.endpoint }, cacheGb, bases };
  const options: WorkerOptions = {
    config,
    ...(alone ? {} : { engineSocket: socketPath }),
    encryptionKey,
    leaseMs: 3_000,
  };
  const worker = (name: string) =>
    remoteBuilds({ ...options, workDir: path.join(dir, name) }, { db: database.db, registry }, stack);
  const own = await worker("work");
  const another = (await worker("another")).builds;
  const opened = stack.move();
  const engineDir = alone?.dataDir ?? path.join(path.dirname(socketPath), "data");
  const signIn = async ({ projectId }: Pick<BuildSpec, "projectId">) => {
    const { host, username, password } = await registry.credentials(projectId, "pull", 600);
    return { serveraddress: host, username, password };
  };
  return {
    builds: own.builds,
    another,
    ...(depot && {
      placesOf: (workspaceId: string) =>
        depot.projects.filter(({ name }) => name.includes(workspaceId)).map(({ projectId }) => projectId),
    }),
    crons: own.crons,
    databaseUrl: url,
    async cacheBytes() {
      const transport = machine ? tlsTransport(machine.endpoint) : dockerTransport(socketPath);
      await using client = await openBuildKit(transport);
      return (await client.diskUsage())
        .filter(({ isShared }) => !isShared)
        .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    },
    depot,
    database,
    registry,
    engineDir,
    dir,
    holdsLimits: false,
    measures: ["sentBytes"],
    lastWords: "image ",
    buildsOnImages: true,
    publicImage: (dockerfile) => engine.publicImage(hub.host, dockerfile),
    repositoryOf: ({ projectId, serviceId }) => `${registry.host}/${projectId}/${serviceId}`,
    loseConnections: () => (depot ? depot.cutConnections() : machine?.cut()),
    async imagesOf(spec) {
      const repository = `${registry.host}/${spec.projectId}/${spec.serviceId}`;
      const named = (await registry.images(spec)).filter(({ tags }) => tags.length > 0);
      return named.map(({ digest }) => `${repository}@${digest}`);
    },
    imageHolds: async (_image, text) =>
      (await holdsText(engineDir, text)) || (await holdsText(path.join(place.dir, "storage"), text)),
    async fileOf(image, file) {
      const [, projectId = ""] = image.split("/");
      await engine.pull(image, await signIn({ projectId }));
      return engine.printed(image, ["cat", `/app/${file}`]);
    },
    async killedAt(spec, text) {
      const asked = path.join(dir, `${spec.buildId}.json`);
      const workDir = path.join(dir, "killed");
      await registry.ensureRepository(spec);
      await writeFile(
        asked,
        JSON.stringify({ options: { ...options, workDir }, databaseUrl: url, place, spec }),
      );
      const script = fileURLToPath(new URL("fixtures/build-remotely-and-wait.ts", import.meta.url));
      const child = spawn(process.execPath, [script, asked], { stdio: ["ignore", "pipe", "inherit"] });
      for await (const line of createInterface(child.stdout))
        if (line.startsWith(text)) child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    isRunning: async (text) => (await commandLines()).some((line) => line.includes(text)),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
