import type { Clock } from "@starform/std/clock";
import type { Stores, Transact, UnitOfWork } from "../stores.ts";
import { endWith, fallBack, undoDeployed } from "./end.ts";
import { keyOfTicket } from "./jobs.ts";
import type { Deployment } from "./ports.ts";
import type { PlacedService } from "../services/ports.ts";

const graceMs = 3 * 60_000;

/**
 * Ends deployments that nobody works on any more: the cluster never answered, or the build was lost with its Worker
 * once too often; and those of which some instance is well and not all of them became so. So nothing hangs for ever, and
 * nothing stays half. Answers how many.
 */
export const sweepDeployments =
  ({ stores, transact, clock }: { stores: Pick<Stores, "deployments">; transact: Transact; clock: Clock }) =>
  async (): Promise<number> => {
    const before = new Date(clock.now().getTime() - graceMs);
    const { deployments } = stores;
    const found = [
      ...(await deployments.openBefore(before, ["pending", "building", "deploying"])),
      ...(await deployments.halfDeployedBefore(before)),
    ];
    let swept = 0;
    for (const each of found) if (await transact((uow) => sweepOne(uow, clock, each))) swept += 1;
    return swept;
  };

/** Looks again under the place's lock, so that no report and no newer deployment comes between. */
async function sweepOne(uow: UnitOfWork, clock: Clock, found: Deployment): Promise<boolean> {
  const { projectId, environmentId, serviceId, id } = found;
  const place = await uow.services.placed(projectId, environmentId, serviceId, "for update");
  const deployment = place && (await uow.deployments.byId(projectId, id));
  if (!deployment || !(await give(uow, clock, place, deployment))) return false;
  const clusterId = await uow.desired.clusterOf(projectId);
  const isFirst = deployment.status === "deployed" && place.activeDeploymentId === null;
  // What is half up and has nothing before it serves better than nothing.
  if (clusterId && !isFirst) await fallBack(uow, deployment, clusterId);
  return true;
}

/** Fails it if it is time; answers whether it did. */
async function give(
  uow: UnitOfWork,
  clock: Clock,
  place: PlacedService,
  deployment: Deployment,
): Promise<boolean> {
  const reason =
    deployment.status === "deployed"
      ? whyItIsHalf(clock, place, deployment)
      : await whyItHangs(uow, clock, deployment);
  if (!reason) return false;
  const ended =
    deployment.status === "deployed"
      ? await undoDeployed(uow, clock, { deployment, place, reason })
      : await endWith(uow, clock, deployment, "failed", reason);
  return ended !== undefined;
}

const timeoutMsOf = ({ config }: Deployment): number => (config?.healthCheck?.timeoutSeconds ?? 300) * 1_000;

async function whyItHangs(
  { jobs, buildQueue }: UnitOfWork,
  clock: Clock,
  deployment: Deployment,
): Promise<string | undefined> {
  const { id, status, deployingAt } = deployment;
  if (status === "pending" || status === "building") {
    const inLine = await buildQueue.byDeployment(id);
    return inLine && (inLine.ticket === null || (await jobs.isOpen(keyOfTicket(inLine.ticket))))
      ? undefined
      : "its build was interrupted too often and is not tried again: deploy again";
  }
  const isLate = (deployingAt?.getTime() ?? 0) + timeoutMsOf(deployment) + graceMs <= clock.now().getTime();
  return status === "deploying" && isLate
    ? "the cluster did not report on this deployment in time: see whether Shuttle is running (`npm run status`), then redeploy"
    : undefined;
}

/** Instances may come one after the other, and each has its time to become ready. */
function whyItIsHalf(
  clock: Clock,
  { health, settings: { replicas } }: PlacedService,
  deployment: Deployment,
): string | undefined {
  const timeMs = timeoutMsOf(deployment) * Math.max(1, replicas) + graceMs;
  if ((deployment.deployingAt?.getTime() ?? 0) + timeMs > clock.now().getTime()) return undefined;
  const why = health.reason ? `: ${health.reason}` : "";
  return `only ${health.readyReplicas ?? 0} of ${replicas} instances became ready in time${why}`;
}
