import { z } from "zod";
import { BuildEstimate, InLine } from "./builds.ts";
import { EnvironmentName, Id, Timestamp } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { route } from "./route.ts";
import { environmentQuery, serviceParams } from "./services.ts";
import { sourceLimits } from "./source-limits.ts";
import { DeploymentStatus, StageName } from "./states.ts";

const area = "deployments";

export const Stage = z
  .object({
    name: StageName,
    startedAt: Timestamp.nullable(),
    endedAt: Timestamp.nullable(),
    outcome: z.enum(["waiting", "running", "succeeded", "failed", "skipped"]),
  })
  .meta({ id: "Stage" });

export const Deployment = z
  .object({
    id: Id,
    projectId: Id,
    serviceId: Id,
    service: z.string(),
    environment: EnvironmentName,
    /** 1, 2, 3 … per service and environment. */
    number: z.number().int(),
    status: DeploymentStatus,
    /** One sentence, why it failed or was cancelled (`superseded by #12`). */
    reason: z.string().nullable(),
    /** Whether this is what runs. */
    isActive: z.boolean(),
    trigger: z.enum(["push", "up", "api", "redeploy", "rollback", "variables", "settings"]),
    commit: z
      .object({ sha: z.string(), ref: z.string(), message: z.string(), author: z.string() })
      .nullable(),
    buildId: Id.nullable(),
    image: z.string().nullable(),
    imageDigest: z.string().nullable(),
    stages: z.array(Stage),
    /** While it waits for a builder. */
    inLine: InLine.nullable(),
    /** What its build usually takes; until it is built, and where there were builds to tell it by. */
    estimate: BuildEstimate.nullable(),
    /** What was rolled back to. */
    rollbackOf: Id.nullable(),
    url: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    endedAt: Timestamp.nullable(),
    durationMs: z.number().int().nullable(),
    /** Grows with every change; hand it to `seen` to wait for the next. */
    revision: z.number().int(),
  })
  .meta({ id: "Deployment" });
export type Deployment = z.infer<typeof Deployment>;

export const listDeployments = route({
  id: "listDeployments",
  method: "GET",
  path: "/v1/projects/:project/services/:service/deployments",
  area,
  summary: "The deployments of a service in an environment, newest first.",
  params: serviceParams,
  query: PageQuery.extend(environmentQuery.shape),
  response: pageOf(Deployment),
});
export const uploadSource = route({
  id: "uploadSource",
  method: "POST",
  path: "/v1/projects/:project/services/:service/sources",
  area,
  status: 201,
  form: "bytes",
  unkeyed:
    "Sources are kept by what they hold, so that a repeat answers the first answer with or without a key.",
  summary: `Takes a gzipped tar of a folder (at most ${sourceLimits.packedBytesMax / 2 ** 20} MiB) and answers what to deploy. The same folder is the same source.`,
  params: serviceParams,
  response: z.object({ sourceId: z.string(), sizeBytes: z.number().int() }),
});
export const createDeployment = route({
  id: "createDeployment",
  method: "POST",
  path: "/v1/projects/:project/services/:service/deployments",
  area,
  status: 201,
  summary:
    "Deploys an uploaded source, a branch or commit, an image, or (with none of them) what was deployed last, with today's variables.",
  params: serviceParams,
  query: environmentQuery,
  body: z.strictObject({
    sourceId: z.string().max(128).optional(),
    ref: z.string().max(255).optional(),
    image: z.string().max(512).optional(),
    /** Shown as the commit of an uploaded folder. */
    commit: z
      .strictObject({
        sha: z.string().max(64),
        ref: z.string().max(255),
        message: z.string().max(1_024),
        author: z.string().max(255),
      })
      .optional(),
    noCache: z.boolean().default(false),
  }),
  response: Deployment,
});

const deploymentParams = z.object({ deployment: Id });
export const getDeployment = route({
  id: "getDeployment",
  method: "GET",
  path: "/v1/deployments/:deployment",
  area,
  summary:
    "One deployment. With `seen` and `wait` the answer comes when its revision is past `seen` (or, with `position`, its position in line is another), or after `wait` seconds.",
  params: deploymentParams,
  query: z.object({
    seen: z.coerce.number().int().optional(),
    position: z.coerce.number().int().optional(),
    wait: z.coerce.number().int().min(0).max(60).default(0),
  }),
  response: Deployment,
});
export const cancelDeployment = route({
  id: "cancelDeployment",
  method: "POST",
  path: "/v1/deployments/:deployment/cancel",
  area,
  status: 202,
  summary: "Stops a deployment that has not ended; what ran before keeps running.",
  params: deploymentParams,
  response: Deployment,
});
export const rollBackDeployment = route({
  id: "rollBackDeployment",
  method: "POST",
  path: "/v1/deployments/:deployment/rollback",
  area,
  status: 201,
  summary:
    "Re-applies this deployment's receipt (image, config and variables as they were) without building.",
  params: deploymentParams,
  response: Deployment,
});

export const Change = z
  .object({
    path: z.string(),
    kind: z.enum(["added", "removed", "changed"]),
    /** Secrets as digests only. */
    before: z.string().nullable(),
    after: z.string().nullable(),
  })
  .meta({ id: "Change" });
export const diffDeployments = route({
  id: "diffDeployments",
  method: "GET",
  path: "/v1/deployments/:deployment/diff/:other",
  area,
  summary: "What changed between two deployments of a service: commit, image, config, variables.",
  params: deploymentParams.extend({ other: Id }),
  response: z.object({ from: Id, to: Id, changes: z.array(Change) }),
});

/** What a deployment was made of: written once, never changed. */
export const Receipt = z
  .object({
    deploymentId: Id,
    commit: z
      .object({ sha: z.string(), ref: z.string(), message: z.string(), author: z.string() })
      .nullable(),
    buildId: Id.nullable(),
    imageDigest: z.string().nullable(),
    config: z.record(z.string(), z.unknown()),
    /** Name to digest of the resolved value. */
    variables: z.record(z.string(), z.string()),
    digest: z.string(),
  })
  .meta({ id: "Receipt" });
export const getReceipt = route({
  id: "getReceipt",
  method: "GET",
  path: "/v1/deployments/:deployment/receipt",
  area,
  summary: "The immutable receipt of a deployment.",
  params: deploymentParams,
  response: Receipt,
});
