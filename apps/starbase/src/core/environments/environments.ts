import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import { cancelOpen } from "../deployments/cancel.ts";
import { removedServices } from "../desired-state/removed-services.ts";
import type { Actor } from "../identity/actor.ts";
import { defaultSettings } from "../services/settings.ts";
import { placeService } from "../services/place-service.ts";
import type { Transact, UnitOfWork } from "../stores.ts";

type Deps = { transact: Transact; authorize: Authorize; clock: Clock; appsDomain: string };

/** A new environment with every service of the project placed in it; `from` brings settings and variables along. */
export const createEnvironment =
  ({ transact, authorize, clock, appsDomain }: Deps) =>
  async (
    actor: Actor,
    ref: string,
    input: { name: string; from?: string | undefined; isProtected: boolean; isEphemeral: boolean },
  ): Promise<Environment> => {
    const { project } = await authorize.project(actor, ref, "environments.write");
    return transact(async (uow) => {
      // A service that is made at this moment would miss the environment, and it that.
      await uow.projects.hold(project.id);
      const now = clock.now();
      const all = await uow.environments.ofProject(project.id);
      const from = input.from
        ? (all.find((e) => e.id === input.from || e.name === input.from) ??
          notFound("environment", input.from))
        : undefined;
      const { name, isProtected, isEphemeral } = input;
      const environment = {
        id: uuid(now.getTime()),
        projectId: project.id,
        name,
        isProtected,
        isEphemeral,
        createdAt: now,
      };
      await uow.environments.insert(environment);
      const templates = from ? await uow.services.allPlaced(project.id, from.id) : [];
      for (const service of await uow.services.ofProject(project.id)) {
        const template = templates.find((t) => t.id === service.id);
        // A branch deploys to one environment; the copy waits for its own to be named.
        const settings = { ...(template?.settings ?? defaultSettings), branch: null };
        await placeService(uow, { project, service, environment, settings, appsDomain });
      }
      if (from) await copyVariables(uow, project, from, environment, now);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "environment.created",
        actor: actor.email,
        subject: name,
      });
      await uow.projects.touch(project.id);
      return environment;
    });
  };

async function copyVariables(
  { variables }: UnitOfWork,
  project: Project,
  from: Environment,
  to: Environment,
  now: Date,
): Promise<void> {
  for (const group of await variables.groups(project.id)) {
    if (group.environmentId !== from.id) continue;
    const id = uuid(now.getTime());
    await variables.insertGroup({
      id,
      projectId: project.id,
      name: null,
      serviceId: group.serviceId,
      environmentId: to.id,
      createdAt: now,
    });
    for (const entry of group.entries) await variables.put(id, entry);
  }
  for (const attachment of await variables.attachments(project.id))
    if (attachment.environmentId === from.id) await variables.attach({ ...attachment, environmentId: to.id });
}

export const updateEnvironment =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, name: string, isProtected: boolean): Promise<Environment> => {
    const { project, environment } = await authorize.environment(actor, ref, name, "environments.write");
    await transact(async ({ environments, audit, projects }) => {
      await environments.setProtected(project.id, environment.id, isProtected);
      await record(audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: isProtected ? "environment.protected" : "environment.unprotected",
        actor: actor.email,
        subject: environment.name,
      });
      await projects.touch(project.id);
    });
    return { ...environment, isProtected };
  };

export const deleteEnvironment =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, name: string): Promise<void> => {
    const { project, environment } = await authorize.environment(actor, ref, name, "environments.write");
    await transact(async (uow) => {
      await uow.projects.hold(project.id);
      if ((await uow.environments.ofProject(project.id)).length === 1)
        throw new Fault("conflict", "a project keeps at least one environment: delete the project instead");
      for (const place of await uow.services.allPlaced(project.id, environment.id))
        await cancelOpen(uow, clock, place, "the environment was deleted");
      const rows = await uow.desired.rowsOf({ projectId: project.id, environmentId: environment.id });
      await uow.environments.remove(project.id, environment.id);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "environment.deleted",
        actor: actor.email,
        subject: environment.name,
      });
      await uow.projects.touch(project.id);
      await uow.clusters.bumpVersion(project.clusterId, removedServices(rows));
    });
  };
