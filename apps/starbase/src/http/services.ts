import * as contract from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize, type EnvironmentAccess } from "../core/access/authorize.ts";
import type { Project } from "../core/access/ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { PlacedService } from "../core/services/ports.ts";
import type { NewService } from "../core/services/services.ts";
import type { ServiceChange } from "../core/services/update-service.ts";
import type { Stores } from "../core/stores.ts";
import { toNames } from "../core/variables/book.ts";
import { openBook, type BookDeps } from "../core/variables/open-book.ts";
import type { StoredGroup } from "../core/variables/ports.ts";
import type { VariableChanges } from "../core/variables/write-variables.ts";
import { presentGroup, presentService, type Urls } from "./present.ts";
import { serve, type ServeDeps } from "./serve.ts";

type Ref = { project: string; service: string; environment: string };
export type ServiceDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  urls: Urls;
  book: BookDeps;
  createService: (actor: Actor, project: string, input: NewService) => Promise<PlacedService>;
  updateService: (
    actor: Actor,
    ref: Ref,
    change: ServiceChange,
  ) => Promise<{ place: PlacedService; redeployed: contract.Redeployed[] }>;
  deleteService: (actor: Actor, ref: { project: string; service: string }) => Promise<void>;
  restartService: (actor: Actor, ref: Ref) => Promise<PlacedService>;
  listServiceVariables: (
    actor: Actor,
    ref: Ref,
  ) => Promise<{ items: variables.Variable[]; checksum: string }>;
  setServiceVariables: (
    actor: Actor,
    ref: Ref,
    changes: VariableChanges,
    deploy: boolean,
  ) => Promise<{ serviceId: string; deploymentId: string | null; redeployed: contract.Redeployed[] }>;
  revealVariable: (actor: Actor, ref: Ref & { name: string }) => Promise<{ name: string; value: string }>;
  createGroup: (
    actor: Actor,
    project: string,
    input: { name: string; variables?: VariableChanges | undefined },
  ) => Promise<StoredGroup>;
  setGroupVariables: (
    actor: Actor,
    project: string,
    group: string,
    changes: VariableChanges,
  ) => Promise<{ id: string; redeployed: contract.Redeployed[] }>;
  deleteGroup: (actor: Actor, project: string, group: string) => Promise<void>;
  placeGroup: (
    actor: Actor,
    ref: Ref & { group: string },
    attachOrder: number | undefined,
  ) => Promise<{ id: string; redeployed: contract.Redeployed[] }>;
};

/** The environment and the place in it that a request names. */
export async function placeIn(
  deps: { authorize: Authorize; stores: Pick<Stores, "services"> },
  actor: Actor,
  ref: Ref,
  permission: Parameters<Authorize["environment"]>[3],
): Promise<EnvironmentAccess & { place: PlacedService }> {
  const held = await deps.authorize.environment(actor, ref.project, ref.environment, permission);
  const place =
    (await deps.stores.services.placed(held.project.id, held.environment.id, ref.service)) ??
    notFound("service", ref.service);
  return { ...held, place };
}

export function serviceRoutes(app: FastifyInstance, deps: ServiceDeps): void {
  const present = async (place: PlacedService, project: Project) =>
    presentService(
      place,
      project,
      await deps.stores.deployments.latest(place.id, place.environmentId),
      deps.urls,
    );
  const shown = async (actor: Actor, ref: Ref) => {
    const { project, place } = await placeIn(deps, actor, ref, "project.read");
    return present(place, project);
  };
  serve(app, deps, contract.listServices, async ({ actor, params, query }) => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      params.project,
      query.environment,
      "project.read",
    );
    const places = await deps.stores.services.allPlaced(project.id, environment.id);
    const latest = await deps.stores.deployments.latestIn(project.id, environment.id);
    const latestOf = (place: PlacedService) => latest.find(({ serviceId }) => serviceId === place.id);
    return { items: places.map((place) => presentService(place, project, latestOf(place), deps.urls)) };
  });
  serve(app, deps, contract.createService, async ({ actor, params, body }) => {
    const place = await deps.createService(actor, params.project, body);
    return shown(actor, { project: params.project, service: place.id, environment: place.environment });
  });
  serve(app, deps, contract.getService, ({ actor, params, query }) => shown(actor, { ...params, ...query }));
  serve(app, deps, contract.updateService, async ({ actor, params, query, body }) => {
    const { place, redeployed } = await deps.updateService(actor, { ...params, ...query }, body);
    return { ...(await shown(actor, { ...params, ...query, service: place.id })), redeployed };
  });
  serve(app, deps, contract.deleteService, ({ actor, params }) => deps.deleteService(actor, params));
  serve(app, deps, contract.restartService, async ({ actor, params, query }) => {
    await deps.restartService(actor, { ...params, ...query });
    return shown(actor, { ...params, ...query });
  });
  serve(app, deps, contract.listCronRuns, async ({ actor, params, query }) => {
    const { place } = await placeIn(deps, actor, { ...params, ...query }, "project.read");
    const runs = await deps.stores.clusters.cronRuns(place.id, place.environmentId, 50);
    return {
      items: runs.map((run) => ({
        id: run.run_id,
        scheduledFor: run.scheduled_for,
        startedAt: run.started_at,
        endedAt: run.ended_at,
        outcome: run.outcome,
        reason: run.reason,
      })),
    };
  });
}

export function variableRoutes(app: FastifyInstance, deps: ServiceDeps): void {
  serve(app, deps, variables.listVariables, ({ actor, params, query }) =>
    deps.listServiceVariables(actor, { ...params, ...query }),
  );
  serve(app, deps, variables.setVariables, async ({ actor, params, query, body }) => {
    const { serviceId, ...done } = await deps.setServiceVariables(
      actor,
      { ...params, ...query },
      body.variables,
      body.deploy,
    );
    return {
      ...(await deps.listServiceVariables(actor, { ...params, ...query, service: serviceId })),
      ...done,
    };
  });
  serve(app, deps, variables.revealVariable, ({ actor, params, query }) =>
    deps.revealVariable(actor, { ...params, ...query }),
  );

  const presentAll = async (actor: Actor, project: string) => {
    const held = await deps.authorize.project(actor, project, "project.read");
    const environments = await deps.stores.environments.ofProject(held.project.id);
    const book = await openBook(deps.stores, deps.book, held.project, environments[0]!);
    const attachments = await deps.stores.variables.attachments(held.project.id);
    const services = await deps.stores.services.ofProject(held.project.id);
    return (await deps.stores.variables.groups(held.project.id))
      .filter((group) => group.name !== null)
      .map((group) =>
        presentGroup(
          group,
          attachments
            .filter((a) => a.groupId === group.id)
            .map((a) => ({
              ...a,
              service: services.find((s) => s.id === a.serviceId)?.name ?? "",
              environment: environments.find((e) => e.id === a.environmentId)?.name ?? "",
            })),
          (entry) => toNames(book, deps.book.box.open(entry.sealed)),
        ),
      );
  };
  const presentOne = async (actor: Actor, project: string, groupId: string) =>
    (await presentAll(actor, project)).find((group) => group.id === groupId) ?? notFound("var group");
  serve(app, deps, variables.listVarGroups, async ({ actor, params }) => ({
    items: await presentAll(actor, params.project),
  }));
  serve(app, deps, variables.createVarGroup, async ({ actor, params, body }) =>
    presentOne(actor, params.project, (await deps.createGroup(actor, params.project, body)).id),
  );
  serve(app, deps, variables.setVarGroup, async ({ actor, params, body }) => {
    const { id, redeployed } = await deps.setGroupVariables(
      actor,
      params.project,
      params.group,
      body.variables,
    );
    return { ...(await presentOne(actor, params.project, id)), redeployed };
  });
  serve(app, deps, variables.deleteVarGroup, ({ actor, params }) =>
    deps.deleteGroup(actor, params.project, params.group),
  );
  serve(app, deps, variables.attachVarGroup, async ({ actor, params, query, body }) => {
    const { id, redeployed } = await deps.placeGroup(actor, { ...params, ...query }, body.attachOrder);
    return { ...(await presentOne(actor, params.project, id)), redeployed };
  });
  serve(app, deps, variables.detachVarGroup, async ({ actor, params, query }) => {
    await deps.placeGroup(actor, { ...params, ...query }, undefined);
  });
}
