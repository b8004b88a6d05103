import { z } from "zod";

export const DeploymentStatus = z.enum([
  "pending",
  "building",
  "built",
  "deploying",
  "deployed",
  "failed",
  "cancelled",
]);
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;

/**
 * Where a deployment may go from each status. `deployed` says that one instance on the new image is well; one that fails
 * before all of them ever were is `failed` after all, and what ran before runs again.
 */
export const deploymentMoves = {
  pending: ["building", "deploying", "failed", "cancelled"],
  building: ["built", "failed", "cancelled", "pending"],
  built: ["deploying", "failed", "cancelled"],
  deploying: ["deployed", "failed", "cancelled"],
  deployed: ["failed"],
  failed: [],
  cancelled: [],
} as const satisfies Record<DeploymentStatus, readonly DeploymentStatus[]>;

export const canMove = (from: DeploymentStatus, to: DeploymentStatus): boolean =>
  (deploymentMoves[from] as readonly DeploymentStatus[]).includes(to);

const finalStatuses: readonly DeploymentStatus[] = ["deployed", "failed", "cancelled"];
/** Whether whoever waits for it need not wait any longer. */
export const isFinal = (status: DeploymentStatus): boolean => finalStatuses.includes(status);

/** Which action each status allows. The API enforces it; the dashboard and the CLI read it. */
export const deploymentActions = {
  cancel: ["pending", "building", "built", "deploying"],
  roll_back_to: ["deployed"],
  redeploy: ["deployed", "failed", "cancelled"],
} as const satisfies Record<string, readonly DeploymentStatus[]>;
export type DeploymentAction = keyof typeof deploymentActions;
export const deploymentCan = (action: DeploymentAction, deployment: { status: DeploymentStatus }): boolean =>
  (deploymentActions[action] as readonly DeploymentStatus[]).includes(deployment.status);

export const StageName = z.enum(["clone", "build", "push", "deploy"]);
export type StageName = z.infer<typeof StageName>;

/** What runs, as the cluster saw it last. */
export const ServicePhase = z.enum([
  "not_deployed",
  "starting",
  "running",
  "degraded",
  "crashed",
  "stopped",
  "scheduled",
]);
export type ServicePhase = z.infer<typeof ServicePhase>;
