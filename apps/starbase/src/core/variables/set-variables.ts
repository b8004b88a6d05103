import type { Clock } from "@starform/std/clock";
import { Fault, isFault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import type { RedeployChanged } from "../deployments/redeploy-changed.ts";
import type { Actor } from "../identity/actor.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { referrersTo, resolveService, toIds, type VariableBook } from "./book.ts";
import { openBook, type BookDeps } from "./open-book.ts";
import type { StoredGroup } from "./ports.ts";

export type VariableChanges = Readonly<
  Record<string, string | null | { readonly value: string; readonly isSecret: boolean }>
>;
type Deps = {
  transact: Transact;
  authorize: Authorize;
  clock: Clock;
  book: BookDeps;
  redeployChanged: RedeployChanged;
};

/** Sets or drops variables of the service itself; what runs and uses them, by whatever reference, is re-deployed. */
export const setServiceVariables =
  (deps: Deps) =>
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
      await checkReferences(uow, deps, project, [environment]);
      await recordChange(uow, deps.clock, actor, project, `${place.name} (${environment.name})`, changes);
      return place.id;
    });
    const started = deploy ? await deps.redeployChanged(actor, project, [environment]) : [];
    return { serviceId, deploymentId: started.find((d) => d.serviceId === serviceId)?.id ?? null };
  };

/** Sets or drops entries of a named group, in every environment that uses it. */
export const setGroupVariables =
  (deps: Deps) =>
  async (
    actor: Actor,
    projectRef: string,
    groupRef: string,
    changes: VariableChanges,
  ): Promise<StoredGroup> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    refuseReserved(changes);
    const { group, environments } = await deps.transact(async (uow) => {
      await oneAtATime(uow, project);
      const found = await namedGroup(uow, project, groupRef);
      const all = await uow.environments.ofProject(project.id);
      const guarded = all.filter((environment) => environment.isProtected);
      const before: string[] = [];
      for (const environment of guarded) before.push(await valuesIn(uow, deps, project, environment));
      const book = await openBook(uow, deps.book, project, all[0]!);
      await write(uow, deps, { group: found, book, changes, where: found.name ?? "" });
      await checkReferences(uow, deps, project, all);
      for (const [at, environment] of guarded.entries())
        if ((await valuesIn(uow, deps, project, environment)) !== before[at])
          await deps.authorize.environment(actor, project.id, environment.name, "variables.write");
      await recordChange(uow, deps.clock, actor, project, `var group ${found.name}`, changes);
      return {
        group: (await uow.variables.groups(project.id)).find((g) => g.id === found.id)!,
        environments: all,
      };
    });
    await deps.redeployChanged(actor, project, environments);
    return group;
  };

export const createGroup =
  (deps: Deps) =>
  async (
    actor: Actor,
    projectRef: string,
    input: { name: string; variables?: VariableChanges | undefined },
  ): Promise<StoredGroup> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    refuseReserved(input.variables ?? {});
    return deps.transact(async (uow) => {
      await oneAtATime(uow, project);
      const services = await uow.services.ofProject(project.id);
      if (services.some((service) => service.name === input.name))
        throw new Fault(
          "name_taken",
          `a service is named ${input.name}, and \${{${input.name}.…}} would mean both: choose another name`,
        );
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
      return namedGroup(uow, project, id);
    });
  };

export const deleteGroup =
  (deps: Deps) =>
  async (actor: Actor, projectRef: string, groupRef: string): Promise<void> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    await deps.transact(async (uow) => {
      await oneAtATime(uow, project);
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
    });
  };

/** Attaches (with an order) or detaches (without) a group, and re-deploys what it changes. */
export const placeGroup =
  (deps: Deps) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string; group: string },
    attachOrder: number | undefined,
  ): Promise<StoredGroup> => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "variables.write",
    );
    const group = await deps.transact(async (uow) => {
      const place =
        (await uow.services.placed(project.id, environment.id, ref.service)) ??
        notFound("service", ref.service);
      await oneAtATime(uow, project);
      const found = await namedGroup(uow, project, ref.group);
      const key = { groupId: found.id, serviceId: place.id, environmentId: environment.id };
      await (attachOrder === undefined
        ? uow.variables.detach(key)
        : uow.variables.attach({ ...key, attachOrder }));
      await checkReferences(uow, deps, project, [environment]);
      await record(uow.audit, deps.clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: attachOrder === undefined ? "var_group.detached" : "var_group.attached",
        actor: actor.email,
        subject: found.name ?? "",
        detail: { service: place.name, environment: environment.name },
      });
      return found;
    });
    await deps.redeployChanged(actor, project, [environment]);
    return group;
  };

async function namedGroup({ variables }: UnitOfWork, project: Project, ref: string): Promise<StoredGroup> {
  const group = (await variables.groups(project.id)).find(
    (g) => g.name !== null && (g.name === ref || g.id === ref),
  );
  return group ?? notFound("var group", ref);
}

async function ownGroup(
  { variables }: UnitOfWork,
  { clock }: Deps,
  project: Project,
  environment: Environment,
  serviceId: string,
): Promise<StoredGroup> {
  const find = async () =>
    (await variables.groups(project.id)).find(
      (g) => g.serviceId === serviceId && g.environmentId === environment.id,
    );
  const found = await find();
  if (found) return found;
  await variables.insertGroup({
    id: uuid(clock.now().getTime()),
    projectId: project.id,
    name: null,
    serviceId,
    environmentId: environment.id,
    createdAt: clock.now(),
  });
  return (await find())!;
}

async function write(
  uow: UnitOfWork,
  { book: { box }, clock }: Deps,
  {
    group,
    book,
    changes,
    where,
  }: { group: StoredGroup; book: VariableBook; changes: VariableChanges; where: string },
): Promise<void> {
  await uow.variables.drop(
    group.id,
    Object.keys(changes).filter((name) => changes[name] === null),
  );
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) continue;
    const value = typeof change === "string" ? change : change.value;
    const isSecret =
      typeof change === "string"
        ? (group.entries.find((e) => e.name === name)?.isSecret ?? false)
        : change.isSecret;
    const template = toIds(book, value, `${where}.${name}`);
    await uow.variables.put(group.id, {
      name,
      isSecret,
      sealed: box.seal(template),
      digest: box.digest(template),
      updatedAt: clock.now(),
    });
  }
}

/** Two changes at once could each be right and make a circle together, so those of one project wait for each other. */
const oneAtATime = ({ projects }: UnitOfWork, project: Project): Promise<void> => projects.touch(project.id);

/** What others refer to stays, or their variables would resolve to nothing at the next deployment. */
export async function refuseReferred(
  uow: UnitOfWork,
  book: BookDeps,
  project: Project,
  { id, name }: { id: string; name: string },
): Promise<void> {
  for (const environment of await uow.environments.ofProject(project.id)) {
    const [first] = referrersTo(await openBook(uow, book, project, environment), id);
    if (first)
      throw new Fault(
        "conflict",
        `${first} (${environment.name}) refers to the ${name}: change or delete that variable first`,
      );
  }
}

/** Every reference of every service must resolve, before anything is kept. */
async function checkReferences(
  uow: UnitOfWork,
  deps: Deps,
  project: Project,
  environments: readonly Environment[],
): Promise<void> {
  for (const environment of environments) {
    const book = await openBook(uow, deps.book, project, environment);
    for (const service of book.services) resolveService(book, service.id);
  }
}

/**
 * All that the services of an environment get, to see whether a change reaches it, attached or by reference: what is
 * protected is changed only by who may change that environment.
 */
async function valuesIn(
  uow: UnitOfWork,
  deps: Deps,
  project: Project,
  environment: Environment,
): Promise<string> {
  const book = await openBook(uow, deps.book, project, environment);
  try {
    return JSON.stringify(book.services.map((service) => resolveService(book, service.id)));
  } catch (error) {
    if (isFault(error)) return "unresolvable";
    throw error;
  }
}

function refuseReserved(changes: VariableChanges): void {
  const reserved = Object.keys(changes).find(
    (name) => name.startsWith("STARFORM_") && changes[name] !== null,
  );
  if (reserved)
    throw new Fault(
      "invalid",
      `${reserved} is told by the platform: names that begin with STARFORM_ cannot be set`,
    );
}

const recordChange = (
  { audit }: UnitOfWork,
  clock: Clock,
  actor: Actor,
  project: Project,
  subject: string,
  changes: VariableChanges,
) =>
  record(audit, clock, {
    workspaceId: project.workspaceId,
    projectId: project.id,
    event: "variables.changed",
    actor: actor.email,
    subject,
    detail: { names: Object.keys(changes) },
  });
