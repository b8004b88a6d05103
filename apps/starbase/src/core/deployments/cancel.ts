import { deploymentCan } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { endWith, fallBack, leaveLine } from "./end.ts";
import { withHeldDeployment, type HeldDeploymentDeps } from "./held-deployment.ts";

/** Cancels all that is on its way to a place. */
export async function cancelOpen(
  uow: UnitOfWork,
  clock: Clock,
  place: PlacedService,
  reason: string,
): Promise<void> {
  for (const open of await uow.deployments.open(place.id, place.environmentId)) {
    await endWith(uow, clock, open, "cancelled", reason);
    await leaveLine(uow, open.id);
  }
}

/** Stops a deployment that has not ended; what ran before keeps running. */
export const cancelDeployment =
  ({ clock, ...deps }: HeldDeploymentDeps & { clock: Clock }) =>
  (actor: Actor, id: string): Promise<void> =>
    withHeldDeployment(deps)(
      { actor, id, permission: "deployments.write" },
      async (uow, { project, place, deployment }) => {
        if (!deploymentCan("cancel", deployment))
          throw new Fault(
            "conflict",
            `deployment #${deployment.number} has ended (${deployment.status}) and cannot be cancelled`,
          );
        await endWith(uow, clock, deployment, "cancelled", `cancelled by ${actor.email}`);
        await leaveLine(uow, id);
        await fallBack(uow, deployment, project.clusterId);
        await record(uow.audit, clock, {
          workspaceId: project.workspaceId,
          projectId: project.id,
          event: "deployment.cancelled",
          actor: actor.email,
          subject: `${place.name} #${deployment.number}`,
        });
      },
    );
