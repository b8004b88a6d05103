import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { Fault, wordsOf } from "@starform/std/fault";
import { until } from "@starform/std/retry";
import { signerOf } from "@starform/std/signature";
import { lookAtCluster, type SeenCluster } from "../cluster/look-at-cluster.ts";
import { clusterIdIn, keepClusterKind } from "../data-dir/cluster-kind.ts";
import { openDataDir, type DataDir } from "../data-dir/data-dir.ts";
import { refuseBusyPorts, sayPortTaken } from "../data-dir/busy-port.ts";
import { openSecrets, type Secrets } from "../data-dir/secrets.ts";
import { removeState, writeState, type PlatformDescription } from "../data-dir/state.ts";
import { installDebianPackages, type DebianPackage } from "../debian-packages.ts";
import {
  expectRuntime,
  openRuntime,
  unboundedBuilds,
  refuseMissingEngine,
  type Runtime,
  type RuntimeAddress,
} from "../engines/choose-runtime.ts";
import { outgoingClash } from "../options/outgoing-ports.ts";
import { portsFrom, type Ports } from "../options/ports.ts";
import type { StartOptions } from "../options/start-options.ts";
import { appsDomainOf, dashboardUrlOf, nodePrograms, urlOf } from "../programs/node-programs.ts";
import { registryProgram } from "../programs/registry.ts";
import { metricsProgram, postgresProgram } from "../programs/stores.ts";
import { stardeckProgram } from "../programs/stardeck.ts";
import type { Program, ProgramStatus } from "../supervisor/program.ts";
import { openSupervisor, type Supervisor } from "../supervisor/supervisor.ts";
import { ownerLoginUrl } from "./login-link.ts";
import { step, type Say } from "./progress.ts";
import { sayEvents } from "./say-events.ts";
import { restartOnChange } from "./watch.ts";

/** What makes the platform better on Debian; without them it still works. */
const betterWith: readonly DebianPackage[] = [
  { name: "git", program: "git", why: "git push" },
  { name: "bubblewrap", program: "bwrap", why: "sandboxes for apps that run as processes" },
  { name: "docker.io", program: "dockerd", why: "the Docker runtime" },
  { name: "iptables", program: "iptables", why: "networks of builds, and the Docker runtime" },
  { name: "iproute2", program: "ip", why: "networks of builds, and the Docker runtime" },
  { name: "victoria-metrics", program: "victoria-metrics", why: "metrics of 90 days instead of 30" },
];
const dockerOnly = ["docker.io"];

export type Platform = AsyncDisposable & {
  readonly description: PlatformDescription;
  processes(): ProgramStatus[];
};

/**
 * Starts everything in the data directory and resolves when it can be used. Whatever goes wrong, and when the signal
 * fires, what was started is stopped in order before this rejects.
 */
export async function openPlatform(
  options: StartOptions,
  at: { root: string; say: Say; signal: AbortSignal },
): Promise<Platform> {
  await using stack = new AsyncDisposableStack();
  const { say, signal } = at;
  const cluster = await seeCluster(options, at);
  const ports = portsFrom(options.portBase);
  const refuse = () => refuseImpossible(options, ports, say);
  const dataDir = stack.use(await openDataDir(options.dataDir, { isFresh: options.isFresh, refuse }));
  if (dataDir.leftOvers.length > 0)
    say(`- Stopped what an earlier, killed start had left: ${dataDir.leftOvers.join(", ")}`);
  keepClusterKind(dataDir.path, options.cluster.kind);
  const clash = outgoingClash(options.portBase, Math.max(...Object.values(ports)));
  if (clash) say(clash);
  const secrets = openSecrets(dataDir.path);
  const onEvent = sayEvents(say);
  const expected = await expectRuntime(options, dataDir.path);
  const choosing = openRuntime(expected, options, { dataDir, say, onEvent, signal });
  // An engine of our own goes last but for the data directory, whatever happens until then.
  stack.defer(async () => (await choosing.catch(() => undefined))?.engine?.stop());
  let runtimeAtOnce: RuntimeAddress = expected;
  const parts = {
    options,
    root: at.root,
    dataDir,
    ports,
    secrets,
    choosing,
    runtimeAtOnce: () => runtimeAtOnce,
    say,
    cluster,
  };
  const { programs, database } = programsOf(parts);
  const supervisor = stack.use(
    openSupervisor(programs, { runDir: dataDir.runDir, logDir: dataDir.logDir, onEvent }),
  );
  const starting = supervisor.start({ withinMs: 180_000, signal }).catch((error: unknown) => {
    const taken = sayPortTaken(wordsOf(error), ports, options.portBase);
    throw taken ? new Fault("conflict", taken, { cause: error }) : error;
  });
  const [runtime] = await Promise.all([choosing, starting]);
  if (runtime.kind !== expected.kind) {
    runtimeAtOnce = runtime;
    await restarted(supervisor, "api");
  }
  const description = await describe({ ...parts, runtime, database, programs });
  if (options.isWatching) stack.use(restartOnChange(at.root, (name) => supervisor.restart(name)));
  const supervisors = [supervisor, ...(runtime.engine ? [runtime.engine] : [])];
  return keep({ description, dataDir, supervisors }, stack.move());
}

/** Starts it anew and resolves when it is ready again. */
async function restarted(supervisor: Supervisor, name: string): Promise<void> {
  const status = () => supervisor.status().find((program) => program.name === name);
  const before = status()?.restarts ?? 0;
  supervisor.restart(name);
  await until(
    `${name} to be ready again`,
    () => {
      const now = status();
      return now?.state === "ready" && now.restarts > before;
    },
    { withinMs: 60_000 },
  );
}

/** What can be known to fail before anything is written, and before `--fresh` deletes what cannot be had again. */
async function refuseImpossible(options: StartOptions, ports: Ports, say: Say): Promise<void> {
  refuseToForgetKey(options);
  await refuseBusyPorts(ports, options.portBase, options.databaseUrl ? ["postgres"] : []);
  const packages = betterWith.filter(
    ({ name }) => options.runtime !== "process" || !dockerOnly.includes(name),
  );
  await installDebianPackages(packages, {
    purpose: "Starform",
    isForbidden: !options.mayInstallPackages,
    say,
  });
  await refuseMissingEngine(options);
}

/** `--fresh` empties the data directory and not somebody's own database, which its key alone opens. */
function refuseToForgetKey({ isFresh, dataDir, databaseUrl }: StartOptions): void {
  const file = join(dataDir, "secrets/database-url");
  if (!isFresh || !databaseUrl || !existsSync(file) || readFileSync(file, "utf8").trim() !== databaseUrl)
    return;
  throw new Fault(
    "conflict",
    `--fresh would delete the key that opens what is kept at DATABASE_URL: start without --fresh; to begin anew there as well, empty that database and remove ${dataDir} yourself`,
  );
}

type Parts = {
  options: StartOptions;
  root: string;
  dataDir: DataDir;
  ports: Ports;
  secrets: Secrets;
  choosing: Promise<Runtime>;
  runtimeAtOnce: () => RuntimeAddress;
  say: Say;
  /** Undefined where apps run on this machine. */
  cluster: SeenCluster | undefined;
};

/** The cluster that apps are to run on, before anything is written: it may be the wrong one. */
async function seeCluster(
  { cluster, dataDir, isFresh }: StartOptions,
  { root, say, signal }: { root: string; say: Say; signal: AbortSignal },
): Promise<SeenCluster | undefined> {
  if (cluster.kind === "embedded") return undefined;
  const clusterId = clusterIdIn(dataDir, isFresh);
  return step(
    say,
    "Looking at the cluster",
    () => lookAtCluster(cluster.kubeconfigFile, { root, clusterId, say, signal }),
    ({ kubernetesVersion }) => `Kubernetes ${kubernetesVersion} is ready for Shuttle`,
  );
}

function programsOf({ options, root, dataDir, ports, secrets, choosing, runtimeAtOnce, say }: Parts): {
  programs: Program[];
  database: string;
} {
  const postgres = options.databaseUrl
    ? undefined
    : postgresProgram(dataDir.path, ports.postgres, secrets.read("postgres-password"));
  secrets.write("signing.pub", signerOf(secrets.read("signing.key"), desiredStatePurpose).publicKeys);
  secrets.write("database-url", options.databaseUrl ?? postgres?.url ?? "");
  const gateway = {
    address: `127.0.0.1:${ports.gatewayAdmin}`,
    tokenFile: secrets.fileOf("gateway-admin-token"),
  };
  const metrics = metricsProgram(dataDir.path, ports.metrics, secrets.read("metrics-password"), {
    ...(options.cluster.kind === "embedded" ? { gateway } : {}),
    shuttle: { address: `127.0.0.1:${ports.shuttle}`, tokenFile: secrets.fileOf("metrics-password") },
    worker: `127.0.0.1:${ports.worker}`,
  });
  const metricsUrl = metrics && urlOf(ports.metrics);
  const registry = registryProgram({
    dataDir: dataDir.path,
    port: ports.registry,
    apiUrl: urlOf(ports.api),
    secrets,
  });
  const stardeck = stardeckProgram({
    root,
    port: ports.stardeck,
    apiUrl: urlOf(ports.api),
    isWatching: options.isWatching,
    say,
  });
  if (!stardeck) say("- Without the dashboard: apps/stardeck has no app yet");
  const node = nodePrograms({
    root,
    dataDir: dataDir.path,
    logDir: dataDir.logDir,
    schemaStamp: postgres && join(dataDir.path, "postgres", "starform-schema"),
    ports,
    secrets,
    runtime: choosing,
    runtimeAtOnce,
    metricsUrl,
    registryProgram: registry?.command.file,
    cluster: options.cluster,
  });
  const programs = [postgres?.program, metrics, registry, stardeck, ...node].filter(
    (program) => program !== undefined,
  );
  return {
    programs,
    database: postgres ? "PostgreSQL 18 from npm, on this machine" : "the PostgreSQL of DATABASE_URL",
  };
}

async function describe(
  parts: Parts & { runtime: Runtime; database: string; programs: Program[] },
): Promise<PlatformDescription> {
  const { ports, secrets, dataDir, runtime, database, programs } = parts;
  const has = (name: string) => programs.some((program) => program.name === name);
  const ownerToken = secrets.read("owner-token");
  const apiUrl = urlOf(ports.api);
  return {
    dashboardUrl: dashboardUrlOf(ports),
    apiUrl,
    appsDomain: appsDomainOf(ports),
    gatewayUrl: urlOf(ports.gateway),
    gitUrl: `${apiUrl}/git`,
    ownerLoginUrl: has("api") ? await ownerLoginUrl(apiUrl, ownerToken) : "",
    ownerToken,
    dataDir: dataDir.path,
    ...runsOn(parts, runtime, has("registry")),
    ...(runtime.dockerSocket ? { dockerHost: `unix://${runtime.dockerSocket}` } : {}),
    ...unboundedBuilds(runtime),
    stores: {
      database,
      logs: has("telemetry") ? `ClickHouse built in (chDB)${parts.cluster ? ofBuildsAlone : ""}` : "none",
      metrics: `${has("metrics") ? "VictoriaMetrics" : "built in (chDB)"}${parts.cluster ? ofPlatformAlone : ""}`,
      jobs: database,
      images: imagesOf(parts, runtime, has("registry")),
    },
  };
}

/** Agents on the nodes would bring them; a start brings none. */
const ofBuildsAlone = ", of builds; what apps say stays on the cluster (kubectl logs)";
const ofPlatformAlone = ", of this platform; what apps use stays on the cluster (kubectl top)";

function runsOn(
  { cluster, options, secrets, ports }: Parts,
  { kind }: Runtime,
  hasRegistry: boolean,
): Pick<PlatformDescription, "runtime" | "cluster"> {
  if (!cluster) return { runtime: kind };
  return {
    runtime: "kubernetes",
    cluster: {
      id: secrets.read("cluster-id"),
      ...cluster,
      registry: kind === "docker" ? registryFor(options, ports, hasRegistry) : null,
    },
  };
}

/** What the cluster's nodes pull built images from. */
function registryFor({ cluster }: StartOptions, ports: Ports, hasRegistry: boolean): string | null {
  const registry = cluster.kind === "kubernetes" ? cluster.registry : undefined;
  if (registry?.kind === "digitalocean") return `registry.digitalocean.com/${registry.name}`;
  if (!hasRegistry) return null;
  return registry?.kind === "address" ? registry.address : `127.0.0.1:${ports.registry}`;
}

/** Where images lie that run here, and where they can be pushed to. */
function imagesOf({ cluster, options, ports }: Parts, { kind }: Runtime, hasRegistry: boolean): string {
  if (!cluster) {
    const own = kind === "docker" ? "the engine's own store" : "folders of this machine";
    return hasRegistry ? `${own}; docker-registry for pushes` : own;
  }
  const registry = registryFor(options, ports, hasRegistry);
  if (kind !== "docker") return "built elsewhere: without a Docker Engine nothing is built here";
  if (!registry) return "built elsewhere: without docker-registry nothing built here reaches the cluster";
  const isLoopback = registry.startsWith("127.0.0.1:");
  return `${registry}${isLoopback ? ", for nodes on this machine; others need --registry-address" : ""}`;
}

/** Keeps `run/state.json` true while the platform runs. */
function keep(
  {
    description,
    dataDir,
    supervisors,
  }: { description: PlatformDescription; dataDir: DataDir; supervisors: Supervisor[] },
  stack: AsyncDisposableStack,
): Platform {
  const { ownerToken: _token, ownerLoginUrl: _link, ...shown } = description;
  const processes = () => supervisors.flatMap((supervisor) => supervisor.status());
  let written = "";
  const write = () => {
    const state = { ...shown, processes: processes() };
    const text = JSON.stringify(state);
    if (text !== written && existsSync(dataDir.runDir)) writeState(dataDir.path, state);
    written = text;
  };
  write();
  const writing = setInterval(write, 500).unref();
  return {
    description,
    processes,
    async [Symbol.asyncDispose]() {
      clearInterval(writing);
      removeState(dataDir.path);
      await stack.disposeAsync();
    },
  };
}
