import { notFound } from "../access/authorize.ts";
import type { Actor } from "../identity/actor.ts";
import { checkReferences } from "./check-references.ts";
import { openBook } from "./open-book.ts";
import {
  oneAtATime,
  ownGroup,
  recordChange,
  refuseReserved,
  write,
  type VariableChanges,
  type VariableDeps,
} from "./write-variables.ts";

/** Sets or drops variables of the service itself; what runs and uses them, by whatever reference, is re-deployed. */
export const setServiceVariables =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string },
    changes: VariableChanges,
    deploy: boolean,
  ): Promise<{ deploymentId: string | null; serviceId: string }> => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "variables.write",
    );
    refuseReserved(changes);
    const serviceId = await deps.transact(async (uow) => {
      const place =
        (await uow.services.placed(project.id, environment.id, ref.service, "for update")) ??
        notFound("service", ref.service);
      await oneAtATime(uow, project);
      const group = await ownGroup(uow, deps, project, environment, place.id);
      const book = await openBook(uow, deps.book, project, environment);
      await write(uow, deps, { group, book, changes, where: place.name });
      await checkReferences(uow, deps.book, project, [environment]);
      await recordChange(uow, deps.clock, actor, project, `${place.name} (${environment.name})`, changes);
      return place.id;
    });
    const started = deploy ? await deps.redeployChanged(actor, project, [environment]) : [];
    return { serviceId, deploymentId: started.find((d) => d.serviceId === serviceId)?.id ?? null };
  };
