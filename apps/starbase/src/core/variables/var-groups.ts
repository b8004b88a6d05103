import type { Redeployed } from "@starform/contract/services";
import { attachedGroupsMax } from "@starform/contract/variables";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import { redeployChanged } from "../deployments/redeploy-changed.ts";
import type { Actor } from "../identity/actor.ts";
import type { UnitOfWork } from "../stores.ts";
import { openBook } from "./open-book.ts";
import type { StoredGroup } from "./ports.ts";
import { refuseTakenName } from "./reference-names.ts";
import { refuseReferred } from "./refuse-referred.ts";
import { valuesIn } from "./service-values.ts";
import {
  namedGroup,
  recordChange,
  refuseReserved,
  write,
  type VariableChanges,
  type VariableDeps,
} from "./write-variables.ts";

export const createGroup =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    projectRef: string,
    input: { name: string; variables?: VariableChanges | undefined },
  ): Promise<StoredGroup> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    refuseReserved(input.variables ?? {});
    return deps.transact(async (uow) => {
      await uow.projects.hold(project.id);
      await refuseTakenName(uow, project, { name: input.name, as: "var group" });
      const id = uuid(deps.clock.now().getTime());
      await uow.variables.insertGroup({
        id,
        projectId: project.id,
        name: input.name,
        serviceId: null,
        environmentId: null,
        createdAt: deps.clock.now(),
      });
      const group = await namedGroup(uow, project, id);
      const environments = await uow.environments.ofProject(project.id);
      await write(uow, deps, {
        group,
        book: await openBook(uow, deps.book, project, environments[0]!),
        changes: input.variables ?? {},
        where: input.name,
      });
      await recordChange(uow, deps.clock, actor, project, `var group ${input.name}`, input.variables ?? {});
      await uow.projects.touch(project.id);
      return namedGroup(uow, project, id);
    });
  };

export const deleteGroup =
  (deps: VariableDeps) =>
  async (actor: Actor, projectRef: string, groupRef: string): Promise<void> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    await deps.transact(async (uow) => {
      await uow.projects.hold(project.id);
      const group = await namedGroup(uow, project, groupRef);
      await refuseReferred(uow, deps.book, project, { id: group.id, name: `var group ${group.name}` });
      await uow.variables.removeGroup(project.id, group.id);
      await record(uow.audit, deps.clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "var_group.deleted",
        actor: actor.email,
        subject: group.name ?? "",
      });
      await uow.projects.touch(project.id);
    });
  };

/** Attaches (with an order) or detaches (without) a group, and re-deploys what gets other values by it. */
export const placeGroup =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string; group: string },
    attachOrder: number | undefined,
  ): Promise<{ id: string; redeployed: Redeployed[] }> => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "variables.write",
    );
    return deps.transact(async (uow) => {
      await uow.projects.hold(project.id);
      const place =
        (await uow.services.placed(project.id, environment.id, ref.service)) ??
        notFound("service", ref.service);
      const { id, name } = await namedGroup(uow, project, ref.group);
      const within = { project, environments: [environment] };
      const before = await valuesIn(uow, deps.book, { ...within, strict: false });
      const key = { groupId: id, serviceId: place.id, environmentId: environment.id };
      if (attachOrder !== undefined) await refuseTooMany(uow, project.id, key, place.name);
      await (attachOrder === undefined
        ? uow.variables.detach(key)
        : uow.variables.attach({ ...key, attachOrder }));
      const after = await valuesIn(uow, deps.book, { ...within, strict: true });
      await record(uow.audit, deps.clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: attachOrder === undefined ? "var_group.detached" : "var_group.attached",
        actor: actor.email,
        subject: name ?? "",
        detail: { service: place.name, environment: environment.name },
      });
      const redeployed = await redeployChanged(uow, deps, { actor, project, before, after });
      await uow.projects.touch(project.id);
      return { id, redeployed };
    });
  };

async function refuseTooMany(
  { variables }: UnitOfWork,
  projectId: string,
  key: { groupId: string; serviceId: string; environmentId: string },
  service: string,
): Promise<void> {
  const attached = (await variables.attachments(projectId)).filter(
    ({ serviceId, environmentId }) => serviceId === key.serviceId && environmentId === key.environmentId,
  );
  if (attached.length < attachedGroupsMax || attached.some(({ groupId }) => groupId === key.groupId)) return;
  throw new Fault(
    "conflict",
    `${service} has ${attachedGroupsMax} var groups already: detach one, or put the entries into one that it has`,
  );
}
