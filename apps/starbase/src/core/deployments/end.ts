import { isFinal } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { removedServices } from "../desired-state/removed-services.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import type { Deployment } from "./ports.ts";
import { endRunning, endStage } from "./stages.ts";

/** Ends a deployment that has not ended, with its reason; a final status is never overwritten. */
export async function endWith(
  uow: UnitOfWork,
  clock: Clock,
  deployment: Deployment,
  status: "failed" | "cancelled",
  reason: string,
): Promise<Deployment | undefined> {
  if (isFinal(deployment.status)) return undefined;
  const now = clock.now();
  const ended = await uow.deployments.change(deployment.id, [deployment.status], {
    status,
    reason,
    endedAt: now,
    stages: endRunning(deployment.stages, now),
  });
  if (ended) await uow.projects.touch(deployment.projectId);
  return ended;
}

/**
 * Fails a deployment that had one healthy instance and never all of them. One that was wholly up once, or is not what
 * should run any more, stays as it ended.
 */
export async function undoDeployed(
  uow: UnitOfWork,
  clock: Clock,
  { deployment, place, reason }: { deployment: Deployment; place: PlacedService; reason: string },
): Promise<Deployment | undefined> {
  const isHalf = place.targetDeploymentId === deployment.id && place.activeDeploymentId !== deployment.id;
  if (!isHalf) return undefined;
  const now = clock.now();
  const failed = await uow.deployments.change(deployment.id, ["deployed"], {
    status: "failed",
    reason,
    endedAt: now,
    stages: endStage(deployment.stages, "deploy", "failed", now),
  });
  if (failed) await uow.projects.touch(deployment.projectId);
  return failed;
}

/** Gives up its place in line for a builder; answers since when it had it. What is being built ends by itself. */
export async function leaveLine(
  { buildQueue, changes }: Pick<UnitOfWork, "buildQueue" | "changes">,
  deploymentId: string,
): Promise<Date | undefined> {
  const since = await buildQueue.remove(deploymentId);
  if (since) await changes.announce({ kind: "build_queue" });
  return since;
}

/** When what should run is given up, what ran before is what should run again. */
export async function fallBack(
  uow: UnitOfWork,
  { projectId, serviceId, environmentId, id }: Deployment,
  clusterId: string,
): Promise<void> {
  const place = await uow.services.placed(projectId, environmentId, serviceId);
  if (place?.targetDeploymentId !== id) return;
  const { activeDeploymentId } = place;
  const left = activeDeploymentId ? [] : await uow.desired.rowsOf({ projectId, serviceId, environmentId });
  await uow.services.setTarget(serviceId, environmentId, activeDeploymentId);
  await uow.clusters.bumpVersion(clusterId, removedServices(left));
}
