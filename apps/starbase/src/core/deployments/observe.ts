import type { StatusReport } from "@starform/contract/clusters";
import { sayTrouble } from "@starform/contract/say-health";
import type { Clock } from "@starform/std/clock";
import { record } from "../audit/record.ts";
import { endUnseenRuns } from "../clusters/take-reports.ts";
import type { PlacedService } from "../services/ports.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { endWith, fallBack, undoDeployed } from "./end.ts";
import type { Deployment } from "./ports.ts";
import { endStage } from "./stages.ts";
import { recordDivergence, recordDrift, takeHealth } from "./take-health.ts";

type Seen = { readonly deployment: Deployment; readonly place: PlacedService; readonly report: StatusReport };

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
      await recordDrift(uow, clock, projectId, place, report);
      await endUnseenRuns(uow, place, report);
      const deployment = await uow.deployments.byId(projectId, report.deployment_id);
      if (deployment?.serviceId !== place.id || deployment.environmentId !== place.environmentId)
        return "this deployment is not of that service";
      const seen = { deployment, place, report };
      if (report.phase === "failed") await takeFailure(uow, clock, clusterId, seen);
      else if (report.serving_deployment_id === report.deployment_id) await takeSuccess(uow, clock, seen);
      return undefined;
    });

/** A deployment that was never wholly up gives way to what was. */
async function takeFailure(
  uow: UnitOfWork,
  clock: Clock,
  clusterId: string,
  { deployment, place, report }: Seen,
): Promise<void> {
  const sentence = report.reason ?? "the new version did not become ready";
  // A single line stands in the sentence.
  const lastLines = (report.last_lines?.length ?? 0) > 1 ? report.last_lines : [];
  const reason = sayTrouble({ reason: sentence, lastLines }).join("\n");
  const failed =
    deployment.status === "deploying"
      ? await endWith(uow, clock, deployment, "failed", reason)
      : await undoDeployed(uow, clock, { deployment, place, reason });
  if (!failed) return;
  // With nothing to go back to it stays what should run: its address says that it crashed, and the next change of its
  // variables tries again.
  if (place.activeDeploymentId) await fallBack(uow, deployment, clusterId);
  await record(uow.audit, clock, {
    workspaceId: place.workspaceId,
    projectId: deployment.projectId,
    event: "deployment.failed",
    actor: "starform",
    subject: `${place.name} #${deployment.number}`,
    // What the app said is its own, and no matter of the audit.
    detail: { reason: sentence },
  });
}

/** One healthy instance makes it deployed; all of them make it what a later failure falls back on. */
async function takeSuccess(
  uow: UnitOfWork,
  clock: Clock,
  { deployment, place, report }: Seen,
): Promise<void> {
  const now = clock.now();
  if (isUp(report) && deployment.status === "deploying") {
    await uow.deployments.change(deployment.id, ["deploying"], {
      status: "deployed",
      endedAt: now,
      stages: endStage(deployment.stages, "deploy", "succeeded", now),
    });
    await uow.projects.touch(deployment.projectId);
  }
  const isHere = deployment.status === "deploying" || deployment.status === "deployed";
  const isTarget = place.targetDeploymentId === deployment.id;
  if (!isHere || !isTarget || !isWhole(report) || place.activeDeploymentId === deployment.id) return;
  await uow.services.setActive(place.id, place.environmentId, deployment.id);
  await uow.projects.touch(deployment.projectId);
  await record(uow.audit, clock, {
    workspaceId: place.workspaceId,
    projectId: deployment.projectId,
    event: "deployment.activated",
    actor: deployment.createdBy,
    subject: `${place.name} #${deployment.number}`,
  });
}

/** At least one healthy instance; or nothing to be running, which is as it should be. */
const isUp = (report: StatusReport): boolean => report.ready_replicas > 0 || isIdle(report);
/** Every instance that should be there. */
const isWhole = (report: StatusReport): boolean =>
  isIdle(report) || (report.ready_replicas > 0 && report.ready_replicas >= report.desired_replicas);
const isIdle = ({ phase, desired_replicas }: StatusReport): boolean =>
  phase === "scheduled" || (phase === "stopped" && desired_replicas === 0);
