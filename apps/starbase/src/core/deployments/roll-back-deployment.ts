import { deploymentCan } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import { collectedFault } from "../images/collected-fault.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { activate } from "./activate.ts";
import { cancelOpen } from "./cancel.ts";
import { withHeldDeployment, type HeldDeploymentDeps } from "./held-deployment.ts";
import type { Deployment } from "./ports.ts";
import { skippedToDeploy } from "./stages.ts";

/** Re-applies a receipt as it was: image, config, variables. Nothing is built, nothing is resolved anew. */
export const rollBackDeployment =
  ({ clock, ...deps }: HeldDeploymentDeps & { clock: Clock }) =>
  (actor: Actor, id: string): Promise<Deployment> =>
    withHeldDeployment(deps)(
      { actor, id, permission: "deployments.write" },
      async (uow, { project, place, deployment: receipt }) => {
        if (!deploymentCan("roll_back_to", receipt) || !receipt.image || !receipt.config)
          throw new Fault(
            "conflict",
            `deployment #${receipt.number} never ran (${receipt.status}): roll back to one that was deployed`,
          );
        const collected = await uow.retention.find(project.id, receipt.image);
        if (collected)
          throw collectedFault(collected, { ...receipt, whose: `deployment #${receipt.number}` });
        await cancelOpen(uow, clock, place, `rolled back to #${receipt.number}`);
        const deployment = await again(uow, clock, { actor, place, receipt });
        await record(uow.audit, clock, {
          workspaceId: project.workspaceId,
          projectId: project.id,
          event: "deployment.rolled_back",
          actor: actor.email,
          subject: `${place.name} #${deployment.number}`,
          detail: { to: receipt.number },
        });
        const active = await activate(uow, clock, {
          deployment,
          place,
          clusterId: project.clusterId,
          config: receipt.config,
          image: receipt.image,
          imageDigest: receipt.imageDigest,
        });
        return active ?? deployment;
      },
    );

/** A receipt as a new deployment of its own. */
async function again(
  uow: UnitOfWork,
  clock: Clock,
  { actor, place, receipt }: { actor: Actor; place: PlacedService; receipt: Deployment },
): Promise<Deployment> {
  const now = clock.now();
  const deployment: Deployment = {
    ...receipt,
    id: uuid(now.getTime()),
    number: await uow.services.nextNumber(place.id, place.environmentId),
    status: "pending",
    reason: null,
    trigger: "rollback",
    image: null,
    imageDigest: null,
    config: null,
    stages: skippedToDeploy(),
    rollbackOf: receipt.id,
    createdBy: actor.email,
    createdAt: now,
    deployingAt: null,
    endedAt: null,
    revision: 1,
  };
  await uow.deployments.insert(deployment);
  return deployment;
}
