import * as contract from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize, type EnvironmentAccess } from "../core/access/authorize.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { PlacedService } from "../core/services/ports.ts";
import type { NewService } from "../core/services/services.ts";
import type { ServiceChange } from "../core/services/update-service.ts";
import type { MadeOver } from "../core/refuse-stale.ts";
import type { Stores } from "../core/stores.ts";
import { shortSecrets } from "../core/variables/short-secrets.ts";
import type { VariableWrite } from "../core/variables/write-variables.ts";
import { ifMatchIn, withEtag } from "./etags.ts";
import { cursorOn, paged } from "./pages.ts";
import { presentRun, presentService, type Urls } from "./present.ts";
import { serve, type ServeDeps } from "./serve.ts";

type Ref = { project: string; service: string; environment: string };
export type ServiceDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  urls: Urls;
  createService: (actor: Actor, project: string, input: NewService) => Promise<PlacedService>;
  updateService: (
    actor: Actor,
    ref: Ref & { madeOver?: MadeOver },
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
    write: VariableWrite & { deploy: boolean },
  ) => Promise<{ serviceId: string; deploymentId: string | null; redeployed: contract.Redeployed[] }>;
  revealVariable: (actor: Actor, ref: Ref & { name: string }) => Promise<{ name: string; value: string }>;
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

type ShownDeps = Pick<ServiceDeps, "authorize" | "stores" | "urls">;
async function shown(deps: ShownDeps, actor: Actor, ref: Ref): Promise<contract.Service> {
  const { project, place } = await placeIn(deps, actor, ref, "project.read");
  const latest = await deps.stores.deployments.latest(place.id, place.environmentId);
  return presentService(place, project, latest, deps.urls);
}

export function serviceRoutes(app: FastifyInstance, deps: ServiceDeps): void {
  serve(app, deps, contract.listServices, async ({ actor, params, query }) => {
    const { project, environment } = await deps.authorize.environment(
      actor,
      params.project,
      query.environment,
      "project.read",
    );
    const page = { limit: query.limit + 1, ...cursorOn(query) };
    const places = await deps.stores.services.page(project.id, environment.id, page);
    const ids = places.map(({ id }) => id);
    const latest = await deps.stores.deployments.latestIn(project.id, environment.id, ids);
    const latestOf = (place: PlacedService) => latest.find(({ serviceId }) => serviceId === place.id);
    return paged(
      places,
      query.limit,
      (place) => presentService(place, project, latestOf(place), deps.urls),
      ({ id }) => id,
    );
  });
  serve(app, deps, contract.createService, async ({ actor, params, body }, deps) => {
    const place = await deps.createService(actor, params.project, body);
    return shown(deps, actor, {
      project: params.project,
      service: place.id,
      environment: place.environment,
    });
  });
  serve(app, deps, contract.getService, async ({ actor, params, query, reply }) =>
    withEtag(reply, await shown(deps, actor, { ...params, ...query })),
  );
  serve(app, deps, contract.updateService, async ({ actor, params, query, body, request, reply }) => {
    const ref = { ...params, ...query };
    const over = { ...ref, madeOver: ifMatchIn(request) };
    const { place, redeployed } = await deps.updateService(actor, over, body);
    return withEtag(reply, { ...(await shown(deps, actor, { ...ref, service: place.id })), redeployed });
  });
  serve(app, deps, contract.deleteService, ({ actor, params }) => deps.deleteService(actor, params));
  serve(app, deps, contract.restartService, async ({ actor, params, query }) => {
    await deps.restartService(actor, { ...params, ...query });
    return shown(deps, actor, { ...params, ...query });
  });
  serve(app, deps, contract.listCronRuns, async ({ actor, params, query }) => {
    const { place } = await placeIn(deps, actor, { ...params, ...query }, "project.read");
    const runs = await deps.stores.clusters.cronRuns(place.id, place.environmentId, {
      limit: query.limit + 1,
      ...(query.cursor ? { before: query.cursor } : {}),
    });
    return paged(runs, query.limit, presentRun, ({ run_id }) => run_id);
  });
}

export function variableRoutes(app: FastifyInstance, deps: ServiceDeps): void {
  serve(app, deps, variables.listVariables, async ({ actor, params, query, reply }) =>
    withEtag(reply, await deps.listServiceVariables(actor, { ...params, ...query })),
  );
  serve(app, deps, variables.setVariables, async ({ actor, params, query, body, request, reply }) => {
    const ref = { ...params, ...query };
    const { serviceId, ...done } = await deps.setServiceVariables(actor, ref, {
      changes: body.variables,
      deploy: body.deploy,
      madeOver: ifMatchIn(request),
    });
    const shown = await deps.listServiceVariables(actor, { ...ref, service: serviceId });
    return withEtag(reply, { ...shown, ...done, notes: shortSecrets(body.variables, shown.items) });
  });
  serve(app, deps, variables.revealVariable, ({ actor, params, query }) =>
    deps.revealVariable(actor, { ...params, ...query }),
  );
}
