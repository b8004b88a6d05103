import { z } from "zod";
import {
  CronOutcome,
  Digest,
  EnvironmentName,
  Id,
  Ref,
  ServiceName,
  ServiceType,
  Tier,
  Timestamp,
  firstEnvironment,
} from "./names.ts";
import { Drift } from "./clusters.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { projectParams } from "./projects.ts";
import { route } from "./route.ts";
import { DeploymentStatus, ServicePhase } from "./states.ts";

const area = "services";

/** Where a service's code comes from. `push`: the built-in Git remote, or a folder sent by `starform up`. */
export const Source = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("push") }),
    z.strictObject({ kind: z.literal("git"), url: z.string().min(1).max(2_048) }),
    z.strictObject({ kind: z.literal("image"), image: z.string().min(1).max(512) }),
  ])
  .meta({ id: "Source" });
export type Source = z.infer<typeof Source>;

export const HealthCheck = z
  .strictObject({
    /** Answers 2xx or 3xx on `$PORT` when the app is well. */
    path: z.string().startsWith("/").max(1_024),
    timeoutSeconds: z.number().int().min(1).max(3_600).default(300),
  })
  .meta({ id: "HealthCheck" });

/**
 * Patterns like those of .gitignore, from the repository's root: `apps/web/**`, `*.lock`, `!docs/**`. Neither `{a,b}`
 * nor `[ab]` has a meaning.
 */
export const WatchPaths = z
  .array(
    z
      .string()
      .min(1)
      .max(500)
      .refine((pattern) => !/[{}\n]/.test(pattern), "is one pattern a line: in place of {a,b} write two"),
  )
  .max(200);

/** How a service is built and run in one environment. */
export const ServiceSettings = z
  .strictObject({
    /** The branch whose pushes deploy to this environment; `null`: none. */
    branch: z.string().min(1).max(255).nullable().default("main"),
    rootDirectory: z.string().max(1_024).default(""),
    /**
     * A push to Starform that changes nothing they match deploys nothing; none: every push of the branch deploys. Of pushes
     * to an address that the service is built from Starform does not hear: there they have no effect.
     */
    watchPaths: WatchPaths.default([]),
    builder: z.enum(["auto", "dockerfile", "plan"]).default("auto"),
    dockerfilePath: z.string().max(1_024).nullable().default(null),
    installCommand: z.string().max(4_096).nullable().default(null),
    buildCommand: z.string().max(4_096).nullable().default(null),
    startCommand: z.string().max(4_096).nullable().default(null),
    healthCheck: HealthCheck.nullable().default(null),
    tier: Tier.default("mininova"),
    replicas: z.number().int().min(0).max(20).default(1),
    /** Five fields, UTC; services of type `cron` only. */
    schedule: z.string().max(128).nullable().default(null),
    /** Between SIGTERM and SIGKILL. */
    drainSeconds: z.number().int().min(0).max(600).default(30),
  })
  .meta({ id: "ServiceSettings" });
export type ServiceSettings = z.infer<typeof ServiceSettings>;

/** The same members, each optional and without a default: what a PATCH may send. */
export const ServiceSettingsPatch = z
  .strictObject({
    branch: z.string().min(1).max(255).nullable(),
    rootDirectory: z.string().max(1_024),
    watchPaths: WatchPaths,
    builder: z.enum(["auto", "dockerfile", "plan"]),
    dockerfilePath: z.string().max(1_024).nullable(),
    installCommand: z.string().max(4_096).nullable(),
    buildCommand: z.string().max(4_096).nullable(),
    startCommand: z.string().max(4_096).nullable(),
    healthCheck: HealthCheck.nullable(),
    tier: Tier,
    replicas: z.number().int().min(0).max(20),
    schedule: z.string().max(128).nullable(),
    drainSeconds: z.number().int().min(0).max(600),
  })
  .partial()
  .meta({ id: "ServiceSettingsPatch" });

export const ServiceHealth = z
  .object({
    phase: ServicePhase,
    readyReplicas: z.number().int(),
    desiredReplicas: z.number().int(),
    restarts: z.number().int(),
    /** One sentence, when something is wrong. */
    reason: z.string().nullable(),
    /** What the instance said last whose end the reason tells; the newest last. */
    lastLines: z.array(z.string()).optional(),
    observedAt: Timestamp.nullable(),
    /** Set while people with the cluster's own credentials hold the service at an earlier version. */
    heldBack: z
      .object({ fromVersion: z.number().int(), insteadOf: z.string(), by: z.string(), at: Timestamp })
      .nullable()
      .optional(),
    /** Who ended the last such hold, and when that one began: by it a repeat is known. */
    letGo: z.object({ by: z.string(), at: Timestamp, heldAt: Timestamp.optional() }).optional(),
    /** What was changed by hand on the cluster of what the platform owns, and put back; the newest last. */
    putBack: z.array(Drift).optional(),
  })
  .meta({ id: "ServiceHealth" });
export type ServiceHealth = z.infer<typeof ServiceHealth>;

/** A service as it stands in one environment. */
export const Service = z
  .object({
    id: Id,
    projectId: Id,
    projectSlug: z.string(),
    environment: EnvironmentName,
    name: ServiceName,
    type: ServiceType,
    source: Source,
    settings: ServiceSettings,
    /** Of name, source and settings: the ETag. As `If-Match` it holds a change to what was read. */
    checksum: Digest,
    /** `null` for workers and crons. */
    url: z.string().nullable(),
    /** The address of the built-in Git remote. */
    gitUrl: z.string(),
    activeDeploymentId: Id.nullable(),
    latestDeployment: z
      .object({ id: Id, status: DeploymentStatus, reason: z.string().nullable() })
      .nullable(),
    health: ServiceHealth,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: "Service" });
export type Service = z.infer<typeof Service>;

/** A deployment that a change began by itself: of what runs, with the new variables or settings. */
export const Redeployed = z
  .object({ deploymentId: Id, service: z.string(), environment: z.string() })
  .meta({ id: "Redeployed" });
export type Redeployed = z.infer<typeof Redeployed>;
/** What a change re-deploys, whichever services it reached; none where it changed nothing that runs. */
export const redeployedBy = { redeployed: z.array(Redeployed).default([]) };

export const serviceParams = projectParams.extend({ service: Ref });
export const environmentQuery = z.object({ environment: Ref.default(firstEnvironment) });

export const listServices = route({
  id: "listServices",
  method: "GET",
  path: "/v1/projects/:project/services",
  area,
  summary: "The services of a project, as they stand in one environment, oldest first.",
  params: projectParams,
  query: PageQuery.extend(environmentQuery.shape),
  response: pageOf(Service),
});
export const createService = route({
  id: "createService",
  method: "POST",
  path: "/v1/projects/:project/services",
  area,
  status: 201,
  summary: "A new service in every environment of the project.",
  params: projectParams,
  body: z.strictObject({
    name: ServiceName,
    type: ServiceType.default("web"),
    source: Source.default({ kind: "push" }),
    settings: ServiceSettingsPatch.optional(),
    /** The proposal that it was chosen from, for the audit to say so; one that is forgotten by now says nothing. */
    proposal: Id.optional(),
  }),
  response: Service,
});
export const getService = route({
  id: "getService",
  method: "GET",
  path: "/v1/projects/:project/services/:service",
  area,
  summary: "One service, as it stands in one environment.",
  params: serviceParams,
  query: environmentQuery,
  response: Service,
});
export const updateService = route({
  id: "updateService",
  method: "PATCH",
  path: "/v1/projects/:project/services/:service",
  area,
  summary:
    "Changes a service. Tier, replicas, schedule and drain act at once; build settings at the next deployment. With `If-Match`, only over what was read.",
  params: serviceParams,
  query: environmentQuery,
  body: z.strictObject({
    name: ServiceName.optional(),
    source: Source.optional(),
    settings: ServiceSettingsPatch.optional(),
  }),
  response: Service.extend(redeployedBy),
});
export const deleteService = route({
  id: "deleteService",
  method: "DELETE",
  path: "/v1/projects/:project/services/:service",
  area,
  status: 204,
  summary: "Deletes a service in every environment.",
  params: serviceParams,
});
export const restartService = route({
  id: "restartService",
  method: "POST",
  path: "/v1/projects/:project/services/:service/restart",
  area,
  status: 202,
  summary: "Replaces every instance by a fresh one of the same deployment, without a dropped request.",
  params: serviceParams,
  query: environmentQuery,
  response: Service,
});

/** One run of a cron service. */
export const CronRun = z
  .object({
    id: z.string(),
    scheduledFor: Timestamp,
    startedAt: Timestamp.nullable(),
    /** `null` as well where nobody saw it end. */
    endedAt: Timestamp.nullable(),
    outcome: CronOutcome,
    reason: z.string().nullable(),
  })
  .meta({ id: "CronRun" });
export type CronRun = z.infer<typeof CronRun>;
export const listCronRuns = route({
  id: "listCronRuns",
  method: "GET",
  path: "/v1/projects/:project/services/:service/runs",
  area,
  summary: "The latest runs of a cron service, newest first.",
  params: serviceParams,
  query: PageQuery.extend(environmentQuery.shape),
  response: pageOf(CronRun),
});
