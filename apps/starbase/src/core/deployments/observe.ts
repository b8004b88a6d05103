import type { StatusReport } from "@starform/contract/clusters";
import type { ServiceHealth } from "@starform/contract/services";
import type { Clock } from "@starform/std/clock";
import { record } from "../audit/record.ts";
import type { PlacedService } from "../services/ports.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { endWith, fallBack } from "./end.ts";
import { endStage } from "./stages.ts";

/**
 * Takes what a cluster saw of one service. Answers why it cannot be taken, or undefined. Taking it twice changes
 * nothing; a report on a deployment that has ended only tells the health.
 */
export const observe =
  ({ transact, clock }: { transact: Transact; clock: Clock }) =>
  (clusterId: string, report: StatusReport): Promise<string | undefined> =>
    transact(async (uow) => {
      const found = await uow.desired.placeOn(clusterId, report.service_id, report.environment);
      if (!found) return "this cluster has no such service in this environment";
      const { projectId, place } = found;
      await takeHealth(uow, clock, projectId, place, report);
      await recordDivergence(uow, clock, projectId, place, report);
      const deployment = await uow.deployments.byId(projectId, report.deployment_id);
      if (deployment?.serviceId !== place.id || deployment.environmentId !== place.environmentId)
        return "this deployment is not of that service";
      if (report.phase === "failed") {
        const ended =
          deployment.status === "deploying" &&
          (await endWith(
            uow,
            clock,
            deployment,
            "failed",
            report.reason ?? "the new version did not become ready",
          ));
        if (!ended) return undefined;
        // With nothing to go back to it stays what should run: its address says that it crashed, and the next change of
        // its variables tries again.
        if (place.activeDeploymentId) await fallBack(uow, deployment, clusterId);
        await record(uow.audit, clock, {
          workspaceId: place.workspaceId,
          projectId,
          event: "deployment.failed",
          actor: "starform",
          subject: `${place.name} #${deployment.number}`,
          detail: { reason: report.reason },
        });
      } else if (report.serving_deployment_id === report.deployment_id && isUp(report)) {
        const now = clock.now();
        const deployed = await uow.deployments.change(deployment.id, ["deploying"], {
          status: "deployed",
          endedAt: now,
          stages: endStage(deployment.stages, "deploy", "succeeded", now),
        });
        if (!deployed) return undefined;
        await uow.services.setActive(place.id, place.environmentId, deployment.id);
        await uow.projects.touch(projectId);
        await record(uow.audit, clock, {
          workspaceId: place.workspaceId,
          projectId,
          event: "deployment.activated",
          actor: deployment.createdBy,
          subject: `${place.name} #${deployment.number}`,
        });
      }
      return undefined;
    });

/** At least one healthy instance; or nothing to be running, which is as it should be. */
const isUp = (report: StatusReport): boolean =>
  report.ready_replicas > 0 ||
  report.phase === "scheduled" ||
  (report.phase === "stopped" && report.desired_replicas === 0);

async function takeHealth(
  uow: UnitOfWork,
  clock: Clock,
  projectId: string,
  place: PlacedService,
  report: StatusReport,
): Promise<void> {
  const health: ServiceHealth = {
    phase: report.phase === "failed" ? (report.ready_replicas > 0 ? "running" : "crashed") : report.phase,
    readyReplicas: report.ready_replicas,
    desiredReplicas: report.desired_replicas,
    restarts: report.restarts,
    reason: report.reason,
    observedAt: null,
    heldBack: heldBackOf(report),
  };
  const isNew = JSON.stringify(health) !== JSON.stringify(place.health);
  await uow.services.setHealth(place.id, place.environmentId, health, clock.now());
  if (isNew) await uow.projects.touch(projectId);
}

/** Once for each time that a service is held back or let go: the cluster acted on its own, and it must be known. */
async function recordDivergence(
  uow: UnitOfWork,
  clock: Clock,
  projectId: string,
  place: PlacedService,
  report: StatusReport,
): Promise<void> {
  const [before, now] = [place.health.heldBack ?? null, heldBackOf(report)];
  if (before?.at === now?.at) return;
  await record(uow.audit, clock, {
    workspaceId: place.workspaceId,
    projectId,
    event: now ? "service.held_back" : "service.let_go",
    actor: (now ?? before)?.by ?? "starform",
    subject: place.name,
    detail: { ...(now ?? before), environment: place.environment },
  });
}

const heldBackOf = ({ divergence }: StatusReport): ServiceHealth["heldBack"] =>
  divergence
    ? {
        fromVersion: divergence.from_version,
        insteadOf: divergence.instead_of,
        by: divergence.by,
        at: divergence.at,
      }
    : null;
