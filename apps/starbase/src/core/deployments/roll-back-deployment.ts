import { deploymentCan } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { Stores, Transact } from "../stores.ts";
import { activate } from "./activate.ts";
import { cancelOpen } from "./cancel.ts";
import type { Deployment } from "./ports.ts";
import { skippedToDeploy } from "./stages.ts";

/** Re-applies a receipt as it was: image, config, variables. Nothing is built, nothing is resolved anew. */
export const rollBackDeployment =
  ({
    stores,
    transact,
    authorize,
    clock,
  }: {
    stores: Stores;
    transact: Transact;
    authorize: Authorize;
    clock: Clock;
  }) =>
  async (actor: Actor, id: string): Promise<Deployment> => {
    const seen = (await stores.deployments.seenById(id)) ?? notFound("deployment");
    const { project } = await authorize.projectById(
      actor,
      seen.projectId,
      seen.environment,
      "deployments.write",
    );
    return transact(async (uow) => {
      const place =
        (await uow.services.placed(project.id, seen.environmentId, seen.serviceId, "for update")) ??
        notFound("service");
      const receipt = (await uow.deployments.byId(project.id, id)) ?? notFound("deployment");
      if (!deploymentCan("roll_back_to", receipt) || !receipt.image || !receipt.config)
        throw new Fault(
          "conflict",
          `deployment #${receipt.number} never ran (${receipt.status}): roll back to one that was deployed`,
        );
      await cancelOpen(uow, clock, place, `rolled back to #${receipt.number}`);
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
    });
  };
