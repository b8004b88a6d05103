import type { Clock } from "@starform/std/clock";
import type { Stores, Transact, UnitOfWork } from "../stores.ts";
import { endWith, fallBack } from "./end.ts";
import { keyOfTicket } from "./jobs.ts";
import type { Deployment } from "./ports.ts";

const graceMs = 3 * 60_000;

/**
 * Ends deployments that nobody works on any more: the cluster never answered, or the build was lost with its Worker
 * once too often. So nothing hangs for ever. Answers how many.
 */
export const sweepDeployments =
  ({ stores, transact, clock }: { stores: Pick<Stores, "deployments">; transact: Transact; clock: Clock }) =>
  async (): Promise<number> => {
    const before = new Date(clock.now().getTime() - graceMs);
    let swept = 0;
    for (const found of await stores.deployments.openBefore(before, ["pending", "building", "deploying"]))
      if (await transact((uow) => sweepOne(uow, clock, found))) swept += 1;
    return swept;
  };

/** Looks again under the place's lock, so that no report and no newer deployment comes between. */
async function sweepOne(uow: UnitOfWork, clock: Clock, found: Deployment): Promise<boolean> {
  const { projectId, environmentId, serviceId, id } = found;
  const place = await uow.services.placed(projectId, environmentId, serviceId, "for update");
  const deployment = place && (await uow.deployments.byId(projectId, id));
  const reason = deployment && (await whyItHangs(uow, clock, deployment));
  if (!deployment || !reason || !(await endWith(uow, clock, deployment, "failed", reason))) return false;
  const clusterId = await uow.desired.clusterOf(projectId);
  if (clusterId) await fallBack(uow, deployment, clusterId);
  return true;
}

async function whyItHangs(
  { jobs, buildQueue }: UnitOfWork,
  clock: Clock,
  { id, status, config, deployingAt }: Deployment,
): Promise<string | undefined> {
  if (status === "pending" || status === "building") {
    const inLine = await buildQueue.byDeployment(id);
    return inLine && (inLine.ticket === null || (await jobs.isOpen(keyOfTicket(inLine.ticket))))
      ? undefined
      : "its build was interrupted too often and is not tried again: deploy again";
  }
  const timeoutMs = (config?.healthCheck?.timeoutSeconds ?? 300) * 1_000;
  const isLate = (deployingAt?.getTime() ?? 0) + timeoutMs + graceMs <= clock.now().getTime();
  return status === "deploying" && isLate
    ? "the cluster did not report on this deployment in time: see whether Shuttle is running (`npm run status`), then redeploy"
    : undefined;
}
