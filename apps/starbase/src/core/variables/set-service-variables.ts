import type { Redeployed } from "@starform/contract/services";
import { notFound } from "../access/authorize.ts";
import { redeployChanged } from "../deployments/redeploy-changed.ts";
import type { Actor } from "../identity/actor.ts";
import { refuseStale } from "../refuse-stale.ts";
import { openBook } from "./open-book.ts";
import { valuesIn } from "./service-values.ts";
import { checksumOf } from "./show-variables.ts";
import {
  ownGroup,
  recordChange,
  refuseReserved,
  write,
  type VariableDeps,
  type VariableWrite,
} from "./write-variables.ts";

/**
 * Sets or drops variables of the service itself. With `deploy`, what runs and gets other values by it, by whatever
 * reference, is re-deployed.
 */
export const setServiceVariables =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string },
    { changes, madeOver, deploy }: VariableWrite & { deploy: boolean },
  ): Promise<{ serviceId: string; deploymentId: string | null; redeployed: Redeployed[] }> => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "variables.write",
    );
    refuseReserved(changes);
    return deps.transact(async (uow) => {
      await uow.projects.hold(project.id);
      const place =
        (await uow.services.placed(project.id, environment.id, ref.service)) ??
        notFound("service", ref.service);
      if (madeOver) {
        const shown = await openBook(uow, deps.book, project, environment);
        refuseStale(madeOver, checksumOf(shown, place.id), `what ${place.name} gets in ${environment.name}`);
      }
      const within = { project, environments: [environment] };
      const before = await valuesIn(uow, deps.book, { ...within, strict: false });
      const group = await ownGroup(uow, deps, project, environment, place.id);
      const book = await openBook(uow, deps.book, project, environment);
      await write(uow, deps, { group, book, changes, where: place.name });
      const after = await valuesIn(uow, deps.book, { ...within, strict: true });
      await recordChange(uow, deps.clock, actor, project, `${place.name} (${environment.name})`, changes);
      const redeployed = deploy ? await redeployChanged(uow, deps, { actor, project, before, after }) : [];
      await uow.projects.touch(project.id);
      const own = redeployed.find(({ service }) => service === place.name);
      return { serviceId: place.id, deploymentId: own?.deploymentId ?? null, redeployed };
    });
  };
