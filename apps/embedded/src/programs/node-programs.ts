import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ClusterChoice } from "../options/cluster-choice.ts";
import type { Ports } from "../options/ports.ts";
import type { RuntimeAddress } from "../engines/choose-runtime.ts";
import type { Secrets } from "../data-dir/secrets.ts";
import type { Program } from "../supervisor/program.ts";
import { compileCache } from "./compile-cache.ts";
import { endInstances } from "./end-instances.ts";
import { isHttpReady } from "./http-ready.ts";
import { isListening } from "./is-listening.ts";
import { migrateOnce } from "./migrate-once.ts";
import { metricsUser } from "./stores.ts";

export type Addresses = {
  readonly root: string;
  readonly dataDir: string;
  readonly logDir: string;
  /** Where the schema of the embedded database is noted; undefined with a database of one's own. */
  readonly schemaStamp: string | undefined;
  readonly ports: Ports;
  readonly secrets: Secrets;
  /** Chosen while the stores start; who needs it waits. */
  readonly runtime: Promise<RuntimeAddress>;
  /** The same for who does not wait for the engine: at first what is expected, then what is so. */
  readonly runtimeAtOnce: () => RuntimeAddress;
  /** Undefined without a metrics store. */
  readonly metricsUrl: string | undefined;
  /** The program file of docker-registry; undefined without it. */
  readonly registryProgram: string | undefined;
  readonly cluster: ClusterChoice;
};

const host = "127.0.0.1";
const region = "local";
export const telemetryUser = "starform";
export const urlOf = (port: number): string => `http://${host}:${port}`;
export const dashboardUrlOf = (ports: Ports): string => `http://localhost:${ports.stardeck}`;
export const appsDomainOf = (ports: Ports): string => `localhost:${ports.gateway}`;

type OnCluster = Extract<ClusterChoice, { kind: "kubernetes" }>;
type Source = {
  name: string;
  bin: string;
  after: string[];
  /** What it is told; asked for before every start. */
  env(): Record<string, string> | Promise<Record<string, string>>;
  /** Where it answers with a success, or a port that it accepts connections at. */
  ready: readonly [number, string] | number;
  stopWithinMs?: number;
};

/** Starbase's two processes, Shuttle, the gateway and the telemetry store; those whose source is there. */
export const nodePrograms = (at: Addresses): Program[] =>
  sourcesOf(at)
    .filter(({ bin }) => existsSync(join(at.root, bin)))
    .map((source) => nodeProgram(at, source));

function nodeProgram({ root, dataDir }: Addresses, source: Source): Program {
  const { name, bin, after, ready, stopWithinMs = 20_000 } = source;
  let env: Record<string, string> = {};
  return {
    name,
    after,
    // Log lines wait on disk for the telemetry store, so nobody waits for it to start; but it must see the last ones.
    stopsBefore: name === "telemetry" ? [] : ["telemetry"],
    async prepare() {
      env = { ...compileCache(dataDir), ...(await source.env()) };
    },
    get command() {
      const args = ["--disable-warning=ExperimentalWarning", join(root, bin)];
      return { file: process.execPath, args, env, cwd: root };
    },
    isReady: () => (typeof ready === "number" ? isListening(ready) : isHttpReady(...ready)),
    stopSignal: "SIGTERM",
    stopWithinMs,
    async cleanUp() {
      if (name === "shuttle") endInstances(dataDir);
    },
  };
}

function sourcesOf(at: Addresses): Source[] {
  const { ports } = at;
  const migrate = migrateOnce({ root: at.root, logDir: at.logDir, stampFile: at.schemaStamp });
  const starbase = async (runtime: RuntimeAddress) => {
    const env = starbaseEnvironment(at, runtime);
    await migrate({ ...compileCache(at.dataDir), ...env });
    return env;
  };
  return [
    {
      name: "telemetry",
      bin: "apps/telemetry/bin/telemetry.ts",
      after: [],
      env: () => telemetryEnvironment(at),
      ready: [ports.telemetry, "/ping"],
    },
    {
      name: "api",
      bin: "apps/starbase/bin/api.ts",
      after: ["postgres"],
      env: () => starbase(at.runtimeAtOnce()),
      ready: [ports.api, "/healthz"],
    },
    {
      name: "worker",
      bin: "apps/starbase/bin/worker.ts",
      after: ["postgres"],
      env: async () => starbase(await at.runtime),
      ready: [ports.worker, "/healthz"],
    },
    gatewayOf(at),
    ...doorOf(at),
    {
      name: "shuttle",
      bin: "apps/shuttle/bin/shuttle.ts",
      after: ["api", "gateway"],
      env: async () => shuttleEnvironment(at, await at.runtime),
      ready: [ports.shuttle, "/readyz"],
      stopWithinMs: 90_000,
    },
  ];
}

/** Hosts to instances; where those are on a cluster, its gateway knows them, and connections are handed on to it. */
const gatewayOf = (at: Addresses): Source => {
  const { ports, cluster } = at;
  const isOnCluster = cluster.kind === "kubernetes";
  return {
    name: "gateway",
    bin: isOnCluster ? "apps/shuttle/bin/gateway-forward.ts" : "apps/gateway/bin/gateway.ts",
    after: [],
    env: () => (isOnCluster ? forwardEnvironment(cluster, ports) : gatewayEnvironment(at)),
    ready: [ports.gatewayAdmin, "/healthz"],
  };
};

const forwardEnvironment = (
  { kubeconfigFile, gatewayAddress }: OnCluster,
  ports: Ports,
): Record<string, string> => ({
  KUBECONFIG: kubeconfigFile,
  FORWARD_PORT: String(ports.gateway),
  FORWARD_HEALTH_PORT: String(ports.gatewayAdmin),
  ...(gatewayAddress ? { FORWARD_ADDRESS: gatewayAddress } : {}),
});

/** By which the cluster's nodes pull from the registry of this machine, where it is to be reached from elsewhere. */
function doorOf({ cluster, ports, registryProgram }: Addresses): Source[] {
  if (cluster.kind !== "kubernetes" || cluster.registry.kind !== "address" || !registryProgram) return [];
  const { address, pemFile } = cluster.registry;
  return [
    {
      name: "registry-door",
      bin: "apps/embedded/bin/registry-door.ts",
      after: [],
      env: () => ({
        DOOR_ADDRESS: address,
        DOOR_REGISTRY_PORT: String(ports.registry),
        DOOR_API_PORT: String(ports.api),
        ...(pemFile ? { DOOR_PEM_FILE: pemFile } : {}),
      }),
      ready: Number(address.split(":")[1]),
    },
  ];
}

/** What whoever runs the platform may choose of Starbase by the environment of the start. */
const chosenByOperator = ["STARBASE_BUILT_IMAGES", "STARBASE_IMAGES_GIB_MAX", "STARBASE_ROLLBACK_DAYS"];

function starbaseEnvironment(
  { ports, secrets, dataDir, metricsUrl, registryProgram, cluster }: Addresses,
  { kind, dockerSocket }: RuntimeAddress,
): Record<string, string> {
  return {
    STARBASE_DATABASE_URL_FILE: secrets.fileOf("database-url"),
    STARBASE_HOST: host,
    STARBASE_PORT: String(ports.api),
    STARBASE_WORKER_PORT: String(ports.worker),
    STARBASE_PUBLIC_URL: urlOf(ports.api),
    STARBASE_DASHBOARD_URL: dashboardUrlOf(ports),
    STARBASE_GATEWAY_URL: urlOf(ports.gateway),
    STARBASE_APPS_DOMAIN: appsDomainOf(ports),
    STARBASE_DATA_DIR: dataDir,
    STARBASE_ENCRYPTION_KEY_FILE: secrets.fileOf("encryption.key"),
    STARBASE_SIGNING_KEY_FILE: secrets.fileOf("signing.key"),
    STARBASE_SESSION_KEY_FILE: secrets.fileOf("session.key"),
    STARBASE_OWNER_TOKEN_FILE: secrets.fileOf("owner-token"),
    STARBASE_CLUSTER_ID: secrets.read("cluster-id"),
    STARBASE_CLUSTER_TOKEN_FILE: secrets.fileOf("cluster-token"),
    STARBASE_REGION: region,
    STARBASE_RUNTIME: cluster.kind === "kubernetes" ? "kubernetes" : kind,
    ...namedIn(process.env, chosenByOperator),
    STARBASE_CLICKHOUSE_URL: urlOf(ports.telemetry),
    STARBASE_CLICKHOUSE_USER: telemetryUser,
    STARBASE_CLICKHOUSE_PASSWORD_FILE: secrets.fileOf("telemetry-password"),
    ...(dockerSocket === undefined ? {} : { STARBASE_DOCKER_SOCKET: dockerSocket }),
    ...(metricsUrl === undefined
      ? {}
      : {
          STARBASE_METRICS_URL: metricsUrl,
          STARBASE_METRICS_USER: metricsUser,
          STARBASE_METRICS_PASSWORD_FILE: secrets.fileOf("metrics-password"),
        }),
    ...registryEnvironment({ ports, secrets, registryProgram, cluster }),
  };
}

function registryEnvironment({
  ports,
  secrets,
  registryProgram,
  cluster,
}: Pick<Addresses, "ports" | "secrets" | "registryProgram" | "cluster">): Record<string, string> {
  const registry = cluster.kind === "kubernetes" ? cluster.registry : undefined;
  if (registry?.kind === "digitalocean")
    return {
      STARBASE_REGISTRY: "digitalocean",
      STARBASE_DIGITALOCEAN_REGISTRY: registry.name,
      STARBASE_DIGITALOCEAN_TOKEN_FILE: registry.tokenFile,
    };
  if (registryProgram === undefined) return {};
  return {
    STARBASE_REGISTRY: "docker-registry",
    STARBASE_REGISTRY_PORT: String(ports.registry),
    STARBASE_REGISTRY_PROGRAM: registryProgram,
    STARBASE_REGISTRY_PEM_FILE: secrets.fileOf("registry.pem"),
    ...(registry?.kind === "address" ? { STARBASE_REGISTRY_CLUSTER_HOST: registry.address } : {}),
  };
}

const namedIn = (env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

function shuttleEnvironment(
  { ports, secrets, dataDir, cluster }: Addresses,
  { kind, dockerSocket }: RuntimeAddress,
): Record<string, string> {
  return {
    STARFORM_STARBASE_URL: urlOf(ports.api),
    STARFORM_CLUSTER_ID: secrets.read("cluster-id"),
    STARFORM_REGION: region,
    STARFORM_AUTH_TOKEN_FILE: secrets.fileOf("cluster-token"),
    STARFORM_SIGNING_KEYS_FILE: secrets.fileOf("signing.pub"),
    STARFORM_METRICS_ADDR: `${host}:${ports.shuttle}`,
    // Apps that run as processes share the loopback; what it tells of all tenants is for the metrics store.
    STARFORM_METRICS_TOKEN_FILE: secrets.fileOf("metrics-password"),
    STARFORM_DATA_DIR: dataDir,
    // On Kubernetes too: what becomes of an app's pods is told in its log.
    STARFORM_TELEMETRY_URL: urlOf(ports.telemetry),
    STARFORM_TELEMETRY_USER: telemetryUser,
    STARFORM_TELEMETRY_PASSWORD_FILE: secrets.fileOf("telemetry-password"),
    ...(cluster.kind === "kubernetes"
      ? { STARFORM_RUNTIME: "kubernetes", KUBECONFIG: cluster.kubeconfigFile }
      : localEnvironment({ ports, secrets, dataDir }, { kind, dockerSocket })),
  };
}

const localEnvironment = (
  { ports, secrets, dataDir }: Pick<Addresses, "ports" | "secrets" | "dataDir">,
  { kind, dockerSocket }: RuntimeAddress,
): Record<string, string> => ({
  STARFORM_RUNTIME: kind,
  STARFORM_IMAGES_DIR: join(dataDir, "images"),
  STARFORM_GATEWAY_ADMIN_URL: urlOf(ports.gatewayAdmin),
  STARFORM_GATEWAY_ADMIN_TOKEN_FILE: secrets.fileOf("gateway-admin-token"),
  ...(dockerSocket === undefined ? {} : { STARFORM_DOCKER_SOCKET: dockerSocket }),
});

const gatewayEnvironment = ({ ports, secrets, dataDir }: Addresses): Record<string, string> => ({
  GATEWAY_HOST: host,
  GATEWAY_PORT: String(ports.gateway),
  GATEWAY_ADMIN_PORT: String(ports.gatewayAdmin),
  GATEWAY_ADMIN_TOKEN_FILE: secrets.fileOf("gateway-admin-token"),
  GATEWAY_STATE_FILE: join(dataDir, "gateway/routes.json"),
  GATEWAY_BUFFER_DIR: join(dataDir, "gateway/buffer"),
  GATEWAY_TELEMETRY_URL: urlOf(ports.telemetry),
  GATEWAY_TELEMETRY_USER: telemetryUser,
  GATEWAY_TELEMETRY_PASSWORD_FILE: secrets.fileOf("telemetry-password"),
});

/** Without a store for metrics the telemetry process fetches and keeps them itself. */
const scraped = ({ ports, secrets, cluster }: Addresses): string =>
  [
    ...(cluster.kind === "kubernetes"
      ? []
      : [`${urlOf(ports.gatewayAdmin)}/metrics=${secrets.fileOf("gateway-admin-token")}`]),
    `${urlOf(ports.shuttle)}/metrics=${secrets.fileOf("metrics-password")}`,
  ].join("\n");

const telemetryEnvironment = (at: Addresses): Record<string, string> => {
  const { ports, secrets, dataDir, metricsUrl } = at;
  return {
    TELEMETRY_HOST: host,
    TELEMETRY_PORT: String(ports.telemetry),
    TELEMETRY_DATA_DIR: join(dataDir, "telemetry"),
    TELEMETRY_PASSWORD_FILE: secrets.fileOf("telemetry-password"),
    ...(metricsUrl === undefined ? { TELEMETRY_SCRAPE: scraped(at) } : {}),
  };
};
