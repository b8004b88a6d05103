import type { HealthCheck, ServiceSettings } from "@starform/contract/services";
import type { DeploymentStatus, StageName } from "@starform/contract/states";
import type { ServiceType, Tier } from "@starform/contract/names";
import type { z } from "zod";
import type { Commit, SourceRef } from "../builds/ports.ts";
import type { Sealed } from "../variables/ports.ts";

export type Stage = {
  readonly name: StageName;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly outcome: "waiting" | "running" | "succeeded" | "failed" | "skipped";
};

/** The settings a deployment runs by, fixed when it is activated. */
export type RunConfig = {
  /** As it was called then: a later rename must not restart what runs. */
  readonly serviceName: string;
  readonly serviceType: ServiceType;
  readonly tier: Tier;
  readonly startCommand: string | null;
  readonly healthCheck: z.infer<typeof HealthCheck> | null;
  readonly schedule: string | null;
};

export type Trigger = "push" | "up" | "api" | "redeploy" | "rollback" | "variables" | "settings";

export type Deployment = {
  readonly id: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly number: number;
  readonly status: DeploymentStatus;
  readonly reason: string | null;
  readonly trigger: Trigger;
  readonly source: SourceRef | null;
  readonly commit: Commit | null;
  readonly buildId: string | null;
  readonly image: string | null;
  readonly imageDigest: string | null;
  readonly config: RunConfig | null;
  readonly variables: Sealed;
  readonly variableDigests: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly stages: readonly Stage[];
  readonly rollbackOf: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deployingAt: Date | null;
  readonly endedAt: Date | null;
  readonly revision: number;
};
/** With what a reader wants to see beside it. */
export type SeenDeployment = Deployment & {
  readonly service: string;
  readonly environment: string;
  /** Whether it serves: what should run once one instance is well, and until then what ran before. */
  readonly isActive: boolean;
  readonly hostname: string | null;
};

export type DeploymentChange = Partial<
  Pick<
    Deployment,
    | "status"
    | "reason"
    | "commit"
    | "buildId"
    | "image"
    | "imageDigest"
    | "config"
    | "stages"
    | "deployingAt"
    | "endedAt"
  >
>;

export type Build = {
  readonly id: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly serviceId: string;
  readonly buildKey: string;
  readonly image: string | null;
  readonly imageDigest: string | null;
  readonly sizeBytes: number | null;
  readonly info: Readonly<Record<string, unknown>>;
  readonly fileSettings: Partial<ServiceSettings>;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
};

export interface DeploymentStore {
  insert(deployment: Deployment): Promise<void>;
  /**
   * Changes it if its status is one of `from`, bumps its revision and announces it; answers the changed one, or
   * undefined when it had moved on. This compare-and-set is the only way a status changes.
   */
  change(
    id: string,
    from: readonly DeploymentStatus[],
    change: DeploymentChange,
  ): Promise<Deployment | undefined>;
  /** Tenant unknown yet: only for deciding who may see it. */
  seenById(id: string): Promise<SeenDeployment | undefined>;
  byId(projectId: string, id: string): Promise<Deployment | undefined>;
  /** Newest first, by number: a clock may jump. `before` is the id of the last one of the page before. */
  page(
    projectId: string,
    serviceId: string,
    environmentId: string,
    page: { limit: number; before?: string },
  ): Promise<SeenDeployment[]>;
  /** Not ended, oldest first. */
  open(serviceId: string, environmentId: string): Promise<Deployment[]>;
  /** Not ended, of the whole installation, made before a moment. */
  openBefore(at: Date, statuses: readonly DeploymentStatus[]): Promise<Deployment[]>;
  /** Deployed before a moment, what should run, and never wholly up since; of the whole installation. */
  halfDeployedBefore(at: Date): Promise<Deployment[]>;
  latest(serviceId: string, environmentId: string): Promise<SeenDeployment | undefined>;
  /**
   * The newest of a source of its own (none of a rollback or a change of variables) that ended well or is on its way:
   * what a push is compared with.
   */
  lastOfSource(serviceId: string, environmentId: string): Promise<Deployment | undefined>;
  /** The latest of each of these services in an environment. */
  latestIn(
    projectId: string,
    environmentId: string,
    serviceIds: readonly string[],
  ): Promise<SeenDeployment[]>;
  insertBuild(build: Build): Promise<void>;
  /** Whether a build of the project made an image of that very name. */
  hasImage(projectId: string, image: string): Promise<boolean>;
  /** Every image the service was built into. */
  imagesOf(serviceId: string): Promise<string[]>;
  buildById(id: string): Promise<Build | undefined>;
  /** The newest build of that key that has an image, which was not collected and which none failed with: it may be spoiled. */
  builtByKey(serviceId: string, buildKey: string): Promise<Build | undefined>;
  finishBuild(
    id: string,
    result: {
      image: string;
      imageDigest: string;
      sizeBytes: number;
      info: Record<string, unknown>;
      fileSettings: Partial<ServiceSettings>;
      endedAt: Date;
    },
  ): Promise<void>;
}
