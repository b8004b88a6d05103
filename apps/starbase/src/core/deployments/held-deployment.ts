import type { ProjectPermission } from "@starform/contract/permissions";
import { notFound, type Authorize, type EnvironmentAccess } from "../access/authorize.ts";
import type { Actor } from "../identity/actor.ts";
import type { PlacedService } from "../services/ports.ts";
import type { Stores, Transact, UnitOfWork } from "../stores.ts";
import type { Deployment } from "./ports.ts";

export type HeldDeployment = EnvironmentAccess & {
  readonly deployment: Deployment;
  readonly place: PlacedService;
};
export type HeldDeploymentDeps = {
  stores: Pick<Stores, "deployments">;
  transact: Transact;
  authorize: Authorize;
};

/**
 * Runs `work` in a transaction that holds the place of a deployment, for an actor who may do so in its environment: no
 * report, build or other change comes between. What the actor may not know of is told as not found.
 */
export const withHeldDeployment =
  ({ stores, transact, authorize }: HeldDeploymentDeps) =>
  async <T>(
    { actor, id, permission }: { actor: Actor; id: string; permission: ProjectPermission },
    work: (uow: UnitOfWork, held: HeldDeployment) => Promise<T>,
  ): Promise<T> => {
    const seen = (await stores.deployments.seenById(id)) ?? notFound("deployment");
    const access = await authorize.projectById(actor, seen.projectId, seen.environment, permission);
    return transact(async (uow) => {
      const place =
        (await uow.services.placed(seen.projectId, seen.environmentId, seen.serviceId, "for update")) ??
        notFound("service");
      const deployment = (await uow.deployments.byId(seen.projectId, id)) ?? notFound("deployment");
      return work(uow, { ...access, deployment, place });
    });
  };
