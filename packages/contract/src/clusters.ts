import { z } from "zod";
import { CronOutcome, Id, ServiceType, Tier, Timestamp } from "./names.ts";
import { route } from "./route.ts";

/**
 * The wire between Starbase and Shuttle: snake_case, one bearer token per cluster. A field is only ever added, so both
 * sides ignore members they do not know.
 */
const area = "shuttle";

export const Probe = z.object({
  kind: z.enum(["http", "tcp", "none"]),
  path: z.string().optional(),
  /** How long a new instance may take to become ready. */
  timeout_seconds: z.number().int(),
});
export type Probe = z.infer<typeof Probe>;

export const DesiredVarGroup = z.object({
  var_group_id: z.string(),
  /** `sha256:<hex>` over the entries; a change rolls the service. */
  checksum: z.string(),
  variables: z.record(z.string(), z.string()),
  secret_names: z.array(z.string()),
});
export type DesiredVarGroup = z.infer<typeof DesiredVarGroup>;

export const DesiredVolume = z.object({
  name: z.string(),
  mount_path: z.string(),
  size_bytes: z.number().int(),
});

export const DesiredService = z.object({
  workspace_id: Id,
  project_id: Id,
  service_id: Id,
  environment: z.string(),
  tier: Tier,
  /** With digest, never a tag alone. */
  image: z.string(),
  /** What to sign in with to pull it; a change is no reason to start anything anew. */
  image_credentials: z.object({ registry: z.string(), username: z.string(), password: z.string() }).nullish(),
  /**
   * What is known of the image by how it was made: it runs without writing outside of /tmp and its volumes; it holds
   * `/bin/sh` and what a shell needs.
   */
  image_traits: z.object({ has_read_only_root: z.boolean(), has_shell: z.boolean().optional() }).nullish(),
  replicas: z.number().int().min(0),
  /** Injected and own variables that are not secret groups'. */
  env: z.record(z.string(), z.string()),
  ports: z.array(z.object({ container_port: z.number().int(), protocol: z.enum(["TCP", "UDP"]) })),
  hostname: z.string().nullable(),
  /** It is to be taken away. What was removed is told so until the cluster has seen it, for an empty list removes nothing. */
  deleted: z.boolean(),
  project_slug: z.string(),
  service_name: z.string(),
  service_type: ServiceType,
  namespace: z.string(),
  var_groups: z.array(DesiredVarGroup),
  probes: z.object({ startup: Probe, readiness: Probe, liveness: Probe }),
  resources: z.object({ cpu_millis: z.number().int(), memory_bytes: z.number().int() }),
  autoscaling: z
    .object({
      min_replicas: z.number().int(),
      max_replicas: z.number().int(),
      cpu_percent: z.number().int().nullable(),
      memory_percent: z.number().int().nullable(),
    })
    .nullable(),
  schedule: z.string().nullable(),
  /** Replaces the image's own start command. */
  command: z.string().nullable(),
  hostnames: z.array(z.string()),
  provenance: z.object({
    deployment_id: Id,
    build_id: z.string(),
    git_sha: z.string(),
    git_ref: z.string(),
    git_repo: z.string(),
    image_ref: z.string(),
    deployed_at: Timestamp,
    deployed_by: z.string(),
  }),
  restart_nonce: z.string(),
  is_ephemeral: z.boolean(),
  drain_seconds: z.number().int(),
  volumes: z.array(DesiredVolume),
  /** Of ports, probes and limits. */
  config_checksum: z.string(),
});
export type DesiredService = z.infer<typeof DesiredService>;

export const DesiredState = z.object({
  cluster_id: Id,
  version: z.number().int(),
  cluster_config: z.object({ lb_size_units: z.number().int().min(1).max(200) }),
  services: z.array(DesiredService),
});
export type DesiredState = z.infer<typeof DesiredState>;

const params = z.object({ id: Id });

/** Response header of desired state: `<key id>:<base64>`, Ed25519 over the purpose, a newline and the body's exact text. */
export const signatureHeader = "starform-signature";
/** What is signed along with a document, so that no other signed text passes for one. */
export const desiredStatePurpose = "starform desired state";

export const getDesiredState = route({
  id: "getDesiredState",
  method: "GET",
  path: "/api/v1/clusters/:id/desired-state",
  area,
  audience: "cluster",
  summary:
    "What the cluster should be. Strong ETag; 304 when unchanged; `wait` holds the request until the next version.",
  params,
  query: z.object({ wait: z.coerce.number().int().min(0).max(60).default(0) }),
  response: DesiredState,
});

export const Snapshot = z.object({
  snapshot_id: z.string(),
  workspace_id: Id,
  project_id: Id,
  environment: z.string(),
  service_id: Id,
  pod_id: z.string(),
  tier: Tier,
  phase: z.string(),
  snapshot_timestamp: Timestamp,
  cpu_request_millis: z.number().int(),
  memory_request_bytes: z.number().int(),
});
export type Snapshot = z.infer<typeof Snapshot>;
export const postSnapshots = route({
  id: "postSnapshots",
  method: "POST",
  path: "/api/v1/clusters/:id/snapshots",
  area,
  audience: "cluster",
  summary:
    "Running pods, every 60 s; a repeat of a `snapshot_id` changes nothing. Those of what does not run on this cluster are not counted, and named.",
  params,
  body: z.object({ snapshots: z.array(Snapshot).max(10_000) }),
  response: z.object({
    accepted: z.number().int(),
    repeated: z.number().int(),
    refused: z.array(z.object({ snapshot_id: z.string(), reason: z.string() })).default([]),
  }),
});

export const postCapacity = route({
  id: "postCapacity",
  method: "POST",
  path: "/api/v1/clusters/:id/capacity",
  area,
  audience: "cluster",
  summary: "How full the cluster is, every 60 s.",
  params,
  body: z.object({
    cluster_id: Id,
    current_pod_count: z.number().int(),
    soft_limit: z.number().int(),
    timestamp: Timestamp,
    nodes: z.number().int().optional(),
    cpu_allocatable_millis: z.number().int().optional(),
    memory_allocatable_bytes: z.number().int().optional(),
    /**
     * What the pods of apps ask for, placed or not. The cluster's own (its system's, the gateway's, the agents') are not
     * in it, though they take from what is allocatable: how much really is free is less than the difference.
     */
    cpu_requested_millis: z.number().int().optional(),
    /** Likewise. */
    memory_requested_bytes: z.number().int().optional(),
  }),
  status: 204,
});

/** A service that people with the cluster's own credentials hold at an earlier version than Starbase decided. */
export const Divergence = z.object({
  /** The version of the desired state that it is held at. */
  from_version: z.number().int(),
  /** The deployment that Starbase wants, and that does not run because of this. */
  instead_of: Id,
  by: z.string().max(256),
  at: Timestamp,
});
export type Divergence = z.infer<typeof Divergence>;

/** One that is over: ended with the cluster's credentials, or by another deployment. Told until Starbase has taken it. */
export const LetGo = Divergence.extend({ let_go_by: z.string().max(256), let_go_at: Timestamp });
export type LetGo = z.infer<typeof LetGo>;

/** How many that ended are told at most, the newest. */
export const letGoMax = 20;

/** A change by hand to an object that Shuttle owns. */
export const Drift = z.object({
  /** Like `Deployment/svc-1`. */
  object: z.string(),
  what: z.enum(["changed", "deleted"]),
  /** Dotted paths of the fields; the first few. */
  fields: z.array(z.string()),
  /** The field manager that did it, like `kubectl-edit`; `null` where the cluster does not say. */
  by: z.string().nullable(),
  at: Timestamp,
});
export type Drift = z.infer<typeof Drift>;

/** A cron with more runs to tell of than this does not list them. */
export const runsKnownMax = 1_000;

/** How much of what an instance said last is told with the reason of its end. */
export const [lastLinesMax, lastLineMax] = [10, 300] as const;

export const StatusReport = z.object({
  service_id: Id,
  environment: z.string(),
  deployment_id: Id,
  /** The version of the desired state that this answers. */
  observed_version: z.number().int(),
  phase: z.enum(["starting", "running", "degraded", "crashed", "stopped", "scheduled", "failed"]),
  ready_replicas: z.number().int(),
  desired_replicas: z.number().int(),
  restarts: z.number().int(),
  /** One sentence a customer understands; `null` when all is well. */
  reason: z.string().nullable(),
  /** What the instance said last whose end the reason tells; the newest last. */
  last_lines: z.array(z.string().max(lastLineMax)).max(lastLinesMax).optional(),
  /** The deployment that really serves: an older one while the new is not ready or has failed. */
  serving_deployment_id: Id.nullable(),
  divergence: Divergence.nullable().optional(),
  /** The last one that was ended so; one that is in force began after it. */
  let_go: LetGo.optional(),
  /** Those before it that Starbase may not have been told of, the oldest first. */
  let_go_earlier: z.array(LetGo).max(letGoMax).optional(),
  /** What holds it back on the cluster is there and cannot be read: neither that it is held nor that it was let go is known. */
  is_hold_unreadable: z.boolean().optional(),
  /** What was changed by hand of what Shuttle owns, and put back: the latest of it, since Shuttle started. */
  drift: z.array(Drift).max(50).optional(),
  /**
   * Of a cron: every run that goes on or is still to be told of. One that Starbase knows to run and that is not among them
   * is over, and nobody saw it end. Left out while the cluster does not know.
   */
  runs_known: z.array(z.string()).max(runsKnownMax).optional(),
});
export type StatusReport = z.infer<typeof StatusReport>;

export const CronRunReport = z.object({
  run_id: z.string(),
  service_id: Id,
  environment: z.string(),
  scheduled_for: Timestamp,
  started_at: Timestamp.nullable(),
  /** `null` as well where nobody saw it end. */
  ended_at: Timestamp.nullable(),
  outcome: CronOutcome,
  reason: z.string().nullable(),
});
export type CronRunReport = z.infer<typeof CronRunReport>;

export const postStatus = route({
  id: "postStatus",
  method: "POST",
  path: "/api/v1/clusters/:id/status",
  area,
  audience: "cluster",
  summary:
    "What runs, on change and every 60 s. Each report is taken by itself; those that cannot be are named.",
  params,
  body: z.object({
    reports: z.array(StatusReport).max(10_000),
    cron_runs: z.array(CronRunReport).max(10_000).optional(),
  }),
  response: z.object({
    accepted: z.number().int(),
    refused: z.array(z.object({ service_id: z.string(), reason: z.string() })),
  }),
});

export const postRegister = route({
  id: "postRegister",
  method: "POST",
  path: "/api/v1/clusters/:id/register",
  area,
  audience: "cluster",
  summary: "At start: what this cluster is and can.",
  params,
  body: z.object({
    shuttle_version: z.string(),
    /** `docker`, `process` or `kubernetes`. */
    runtime: z.string(),
    kubernetes_version: z.string().nullable(),
    capabilities: z.array(z.string()),
    region: z.string(),
  }),
  response: z.object({ cluster_id: Id, region: z.string() }),
});
