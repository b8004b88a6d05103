import { readFileSync } from "node:fs";
import { join } from "node:path";
import { durationMs } from "@starform/std/duration";
import { Fault, wordsOf } from "@starform/std/fault";
import { parseEnv, type Env } from "@starform/std/parse-env";
import { z } from "zod";

const duration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      try {
        const ms = durationMs(text);
        if (ms > 0) return ms;
        context.addIssue("what is done without a pause would leave time for nothing else: write it like 30s");
      } catch (error) {
        context.addIssue(wordsOf(error));
      }
      return z.NEVER;
    });

/** Names with commas between. */
const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean),
  );

const Variables = z.strictObject({
  STARBASE_URL: z.url({ protocol: /^https?$/ }),
  CLUSTER_ID: z.uuid(),
  REGION: z.string().min(1),
  AUTH_TOKEN: z.string().min(1),
  SIGNING_KEYS: z.string().min(1).optional(),
  SNAPSHOT_INTERVAL: duration("60s"),
  CAPACITY_INTERVAL: duration("60s"),
  RECONCILE_INTERVAL: duration("30s"),
  STATUS_INTERVAL: duration("60s"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  METRICS_ADDR: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:]*):\d{1,5}$/, "write it like :8080 or 127.0.0.1:8080")
    .default(":8080"),
  METRICS_TOKEN: z.string().min(8).optional(),
  RUNTIME: z.enum(["docker", "process", "kubernetes"]).default("process"),
  /** On Kubernetes there may be no volume: then nothing is kept on disk. */
  DATA_DIR: z.string().min(1).optional(),
  /** Where the service account is mounted and the API server is, where it is not as in a pod. */
  SERVICE_ACCOUNT_DIR: z.string().min(1).optional(),
  KUBE_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  EDGE_PROXY_PROTOCOL: z.enum(["true", "false"]).default("false"),
  EDGE_TRUSTED_HOPS: z.coerce.number().int().min(0).max(10).default(0),
  TLS_SECRET: z.string().min(1).optional(),
  MANAGED_DATA_CIDRS: list,
  CLUSTER_CIDRS: list,
  IMAGE_PULL_SECRETS: list,
  STORAGE_CLASS: z.string().min(1).optional(),
  DOCKER_SOCKET: z.string().default("/var/run/docker.sock"),
  IMAGES_DIR: z.string().optional(),
  GATEWAY_ADMIN_URL: z.url().optional(),
  GATEWAY_ADMIN_TOKEN: z.string().optional(),
  TELEMETRY_URL: z.url().optional(),
  TELEMETRY_USER: z.string().default("default"),
  TELEMETRY_PASSWORD: z.string().default(""),
  /** A region's door for logs, with the cluster's token for it: where the log store itself is out of reach. */
  LOGS_URL: z.url({ protocol: /^https?$/ }).optional(),
  LOGS_TOKEN: z.string().min(1).optional(),
  /** Need not be there: who decides over apps starts without it, and lines wait until it is. */
  LOGS_TOKEN_FILE: z.string().min(1).optional(),
  ON_STOP: z.enum(["stop", "leave"]).default("stop"),
  /** With two replicas on Kubernetes: of several, one leads. */
  LEADER_ELECTION: z.enum(["true", "false"]).default("false"),
  SOFT_LIMIT: z.coerce.number().int().min(1).default(1_000),
});

const dataDir = ".starform";

export type Config = ReturnType<typeof readConfig>;

/** Reads `STARFORM_*`. Secrets come as `<NAME>_FILE`; the token's file is read again for each call, so it may be renewed. */
export function readConfig(env: Env) {
  const v = parseEnv("STARFORM_", Variables, env);
  /** Of a file it is read at each call: it may be renewed. */
  const tokenOf = (name: "AUTH_TOKEN" | "LOGS_TOKEN", token = "") => {
    const file = env[`STARFORM_${name}_FILE`];
    return () => (file ? readFileSync(file, "utf8").trim() : token);
  };
  const [, host = "", port = "8080"] = /^(.*):(\d+)$/.exec(v.METRICS_ADDR) ?? [];
  if (v.GATEWAY_ADMIN_URL && !v.GATEWAY_ADMIN_TOKEN)
    throw new Fault(
      "invalid",
      "the configuration is wrong:\n  STARFORM_GATEWAY_ADMIN_TOKEN_FILE: needed with STARFORM_GATEWAY_ADMIN_URL",
    );
  if (v.LOGS_URL && !v.LOGS_TOKEN && !v.LOGS_TOKEN_FILE)
    throw new Fault(
      "invalid",
      "the configuration is wrong:\n  STARFORM_LOGS_TOKEN_FILE: needed with STARFORM_LOGS_URL, which takes nothing without the cluster's token",
    );
  if (v.LOGS_URL && v.TELEMETRY_URL)
    throw new Fault(
      "invalid",
      "the configuration is wrong:\n  STARFORM_LOGS_URL and STARFORM_TELEMETRY_URL: lines go to one of them, name that one",
    );
  return {
    starbase: {
      url: v.STARBASE_URL,
      token: tokenOf("AUTH_TOKEN", v.AUTH_TOKEN),
    },
    /** Public keys of Starbase, `<id>:<base64>` each; a document that none of them signed is refused. */
    signingKeys: v.SIGNING_KEYS,
    clusterId: v.CLUSTER_ID,
    region: v.REGION,
    softLimit: v.SOFT_LIMIT,
    hasLeaderElection: v.LEADER_ELECTION === "true",
    intervalsMs: {
      snapshot: v.SNAPSHOT_INTERVAL,
      capacity: v.CAPACITY_INTERVAL,
      reconcile: v.RECONCILE_INTERVAL,
      status: v.STATUS_INTERVAL,
    },
    logLevel: v.LOG_LEVEL,
    http: { host: host === "" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""), port: Number(port) },
    metricsToken: v.METRICS_TOKEN,
    runtime: v.RUNTIME,
    dir: join(v.DATA_DIR ?? dataDir, "shuttle"),
    /** Whether what is written to `dir` is there after a restart. */
    hasVolume: v.DATA_DIR !== undefined || v.RUNTIME !== "kubernetes",
    kubernetes: {
      /** Of `KUBECONFIG`, as kubectl reads it; without it the pod's own service account. */
      kubeconfigFile: env["KUBECONFIG"] || undefined,
      account: { mount: v.SERVICE_ACCOUNT_DIR, server: v.KUBE_API_URL },
      edge: { usesProxyProtocol: v.EDGE_PROXY_PROTOCOL === "true", trustedHops: v.EDGE_TRUSTED_HOPS },
      tlsSecret: v.TLS_SECRET ?? null,
      managedDataCidrs: v.MANAGED_DATA_CIDRS,
      clusterCidrs: v.CLUSTER_CIDRS,
      imagePullSecrets: v.IMAGE_PULL_SECRETS,
      storageClass: v.STORAGE_CLASS ?? null,
    },
    dockerSocket: v.DOCKER_SOCKET,
    imagesDir: v.IMAGES_DIR ?? join(v.DATA_DIR ?? dataDir, "images"),
    gateway: v.GATEWAY_ADMIN_URL ? { url: v.GATEWAY_ADMIN_URL, token: v.GATEWAY_ADMIN_TOKEN! } : undefined,
    /** Where lines of apps go; nowhere without it. */
    logs: v.LOGS_URL
      ? { url: v.LOGS_URL, token: tokenOf("LOGS_TOKEN", v.LOGS_TOKEN) }
      : v.TELEMETRY_URL
        ? { url: v.TELEMETRY_URL, user: v.TELEMETRY_USER, password: v.TELEMETRY_PASSWORD }
        : undefined,
    onStop: v.ON_STOP,
    searchPath: env["PATH"] ?? "",
  };
}

/** Without Starbase: an operator may have the cluster's credentials alone. */
const OperatorVariables = Variables.extend({
  STARBASE_URL: Variables.shape.STARBASE_URL.optional(),
  CLUSTER_ID: Variables.shape.CLUSTER_ID.optional(),
  REGION: Variables.shape.REGION.optional(),
  AUTH_TOKEN: Variables.shape.AUTH_TOKEN.optional(),
  RUNTIME: Variables.shape.RUNTIME.unwrap().optional(),
});

export type OperatorConfig = ReturnType<typeof readOperatorConfig>;

/**
 * Where the cluster's memory is and what it is verified with: all that `shuttle status` and its siblings need. Without
 * `STARFORM_RUNTIME`, who has a `KUBECONFIG` or runs in a pod means Kubernetes, and otherwise this machine is meant.
 */
export function readOperatorConfig(env: Env) {
  const v = parseEnv("STARFORM_", OperatorVariables, env);
  const reachesKubernetes = Boolean(env["KUBECONFIG"] || env["KUBERNETES_SERVICE_HOST"]);
  return {
    runtime: v.RUNTIME ?? (reachesKubernetes ? "kubernetes" : "process"),
    dir: join(v.DATA_DIR ?? dataDir, "shuttle"),
    kubernetes: { kubeconfigFile: env["KUBECONFIG"] || undefined },
    dockerSocket: v.DOCKER_SOCKET,
    clusterId: v.CLUSTER_ID,
    signingKeys: v.SIGNING_KEYS,
  };
}
