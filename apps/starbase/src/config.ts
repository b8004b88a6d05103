import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Plan } from "@starform/contract/plans";
import { parseEnv, type Env } from "@starform/std/parse-env";
import { z } from "zod";
import { buildServiceOf, buildServiceVariables } from "./build-service-config.ts";

const port = z.coerce.number().int().min(1).max(65_535);

const Variables = z.strictObject({
  HOST: z.string().default("127.0.0.1"),
  PORT: port.default(4401),
  WORKER_PORT: port.default(4408),
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: "write it like postgresql://user:password@host:port/database",
  }),
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).default(12),
  PUBLIC_URL: z.url(),
  DASHBOARD_URL: z.url(),
  GATEWAY_URL: z.url(),
  APPS_DOMAIN: z.string().min(1),
  DATA_DIR: z.string().min(1),
  ENCRYPTION_KEY: z.string().min(1),
  SIGNING_KEY: z.string().min(1).optional(),
  SESSION_KEY: z.string().min(32),
  OWNER_TOKEN: z.string().startsWith("sf_").optional(),
  OWNER_EMAIL: z.email().default("owner@starform.localhost"),
  /** E-mails, with commas between, of those who run the platform; the owner's alone where it is left out. */
  PLATFORM_OWNERS: z.string().optional(),
  CLUSTER_ID: z.uuid().optional(),
  CLUSTER_TOKEN: z.string().min(16).optional(),
  REGION: z.string().default("local"),
  RUNTIME: z.enum(["docker", "process", "kubernetes"]).default("process"),
  DOCKER_SOCKET: z.string().optional(),
  /** Where built images are pushed for clusters to pull: none, a docker-registry beside us, or DigitalOcean's. */
  REGISTRY: z.enum(["docker-registry", "digitalocean"]).optional(),
  REGISTRY_PORT: port.default(4409),
  /** `host[:port]` by which the nodes of clusters reach the docker-registry beside us; else they must see our loopback. */
  REGISTRY_CLUSTER_HOST: z
    .string()
    .regex(/^[\w.-]+(:\d{1,5})?$/, "write it like 10.0.0.5:5000")
    .optional(),
  /** Where what is built here lies: in the runtime's own store, or in the registry too, which Kubernetes always needs. */
  BUILT_IMAGES: z.enum(["store", "registry"]).optional(),
  ...buildServiceVariables,
  REGISTRY_PROGRAM: z.string().default("docker-registry"),
  /** A private key and its certificate, one after the other: what its tokens are signed with. */
  REGISTRY_PEM: z.string().optional(),
  /** Of one workspace, in place of its plan's; for a machine with a small disk. */
  IMAGES_GIB_MAX: z.coerce.number().positive().optional(),
  ROLLBACK_DAYS: z.coerce.number().int().min(0).optional(),
  DIGITALOCEAN_URL: z.url().default("https://api.digitalocean.com"),
  DIGITALOCEAN_TOKEN: z.string().optional(),
  DIGITALOCEAN_REGISTRY: z.string().optional(),
  CLICKHOUSE_URL: z.url(),
  CLICKHOUSE_USER: z.string().default("starform"),
  CLICKHOUSE_PASSWORD: z.string().default(""),
  METRICS_URL: z.url().optional(),
  METRICS_USER: z.string().default("starform"),
  METRICS_PASSWORD: z.string().default(""),
  /** What new workspaces may use; on the machine of an owner everything. */
  PLAN: Plan.optional(),
  /** Who plans what is built: Starform itself, or the `railpack` program, whose frontend image then runs the plan. */
  PLANNER: z.enum(["built-in", "railpack"]).default("built-in"),
  RAILPACK_PROGRAM: z.string().min(1).default("railpack"),
  RAILPACK_FRONTEND: z.string().min(1).optional(),
  /** Builds that one Worker runs at the same time; each workspace's share is its plan's. */
  BUILDS_MAX: z.coerce.number().int().min(1).max(64).optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
});

export type Config = ReturnType<typeof readConfig>;

/** Reads `STARBASE_*`; nothing else in Starbase looks at the environment. */
export function readConfig(env: Env) {
  const v = parseEnv("STARBASE_", Variables, env);
  return {
    http: { host: v.HOST, port: v.PORT, workerPort: v.WORKER_PORT },
    urls: { api: trim(v.PUBLIC_URL), dashboard: trim(v.DASHBOARD_URL), gateway: trim(v.GATEWAY_URL) },
    appsDomain: v.APPS_DOMAIN,
    database: { url: v.DATABASE_URL, poolMax: v.DATABASE_POOL_MAX },
    dataDir: v.DATA_DIR,
    encryptionKeys: v.ENCRYPTION_KEY,
    /** `<id>:<base64>` each, the first signs what clusters are told; without one they are told unsigned. */
    signingKeys: v.SIGNING_KEY,
    sessionKey: v.SESSION_KEY,
    platformOwners: (v.PLATFORM_OWNERS ?? v.OWNER_EMAIL)
      .split(",")
      .map((email) => email.trim().toLowerCase())
      .filter(Boolean),
    owner: v.OWNER_TOKEN ? { token: v.OWNER_TOKEN, email: v.OWNER_EMAIL } : undefined,
    cluster:
      v.CLUSTER_ID && v.CLUSTER_TOKEN
        ? { id: v.CLUSTER_ID, token: v.CLUSTER_TOKEN, region: v.REGION, runtime: v.RUNTIME }
        : undefined,
    /** Of Starform itself. */
    version: JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version as string,
    plan: v.PLAN ?? (v.OWNER_TOKEN ? "scale" : "trial"),
    /** No more than the machine's processors, lest each takes for ever. */
    buildsMax: v.BUILDS_MAX ?? Math.min(8, Math.max(2, availableParallelism())),
    planner:
      v.PLANNER === "railpack"
        ? ({ kind: v.PLANNER, program: v.RAILPACK_PROGRAM, frontend: v.RAILPACK_FRONTEND } as const)
        : ({ kind: v.PLANNER } as const),
    runtime: v.RUNTIME,
    dockerSocket: v.DOCKER_SOCKET,
    registry: registryOf(v),
    builtImages: v.BUILT_IMAGES ?? (v.RUNTIME === "kubernetes" ? ("registry" as const) : ("store" as const)),
    buildService: buildServiceOf(v),
    images: {
      ...(v.IMAGES_GIB_MAX === undefined ? {} : { bytesMax: v.IMAGES_GIB_MAX * 2 ** 30 }),
      ...(v.ROLLBACK_DAYS === undefined ? {} : { rollBackDays: v.ROLLBACK_DAYS }),
    },
    clickhouse: { url: v.CLICKHOUSE_URL, user: v.CLICKHOUSE_USER, password: v.CLICKHOUSE_PASSWORD },
    metrics: v.METRICS_URL
      ? { url: v.METRICS_URL, user: v.METRICS_USER, password: v.METRICS_PASSWORD }
      : undefined,
    /** What apps are built with on the process runtime: this very Node, and the machine's programs. */
    node: { path: process.execPath, searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" },
    /** Proxies and mirrors the machine needs to reach the network, handed on to builds and to Git. */
    network: env,
    logLevel: v.LOG_LEVEL,
  };
}

export type RegistryConfig = NonNullable<ReturnType<typeof registryOf>>;

function registryOf(v: z.output<typeof Variables>) {
  if (v.REGISTRY === undefined) return undefined;
  if (v.REGISTRY === "docker-registry")
    return {
      kind: v.REGISTRY,
      host: `127.0.0.1:${v.REGISTRY_PORT}`,
      clusterHost: v.REGISTRY_CLUSTER_HOST,
      program: v.REGISTRY_PROGRAM,
      dir: join(v.DATA_DIR, "registry"),
      pem: stated(v.REGISTRY, "REGISTRY_PEM", v.REGISTRY_PEM),
    } as const;
  return {
    kind: v.REGISTRY,
    url: trim(v.DIGITALOCEAN_URL),
    token: stated(v.REGISTRY, "DIGITALOCEAN_TOKEN", v.DIGITALOCEAN_TOKEN),
    name: stated(v.REGISTRY, "DIGITALOCEAN_REGISTRY", v.DIGITALOCEAN_REGISTRY),
  } as const;
}

function stated(kind: string, name: string, value: string | undefined): string {
  if (value) return value;
  throw new Error(`STARBASE_REGISTRY is ${kind}, but STARBASE_${name} is not set`);
}

const trim = (url: string): string => url.replace(/\/$/, "");
