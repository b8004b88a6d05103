import type { Redeployed } from "@starform/contract/services";
import type { Clock } from "@starform/std/clock";
import { digestOf } from "@starform/std/canonical-json";
import type { Project } from "../access/ports.ts";
import type { Actor } from "../identity/actor.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import type { BookDeps } from "../variables/open-book.ts";
import { changedIn, type ServiceValues, type Values } from "../variables/service-values.ts";
import { makeDeployment } from "./create-deployment.ts";

/**
 * Re-deploys, in the transaction of a change, every service that it gave other values and that runs, or is about to.
 * What an earlier change kept back from a service stays back unless this one reaches the service as well. Nothing is
 * lost by whoever dies in between: change and deployments are kept together, or neither.
 */
export async function redeployChanged(
  uow: UnitOfWork,
  deps: { clock: Clock; book: BookDeps },
  {
    actor,
    project,
    before,
    after,
  }: { actor: Pick<Actor, "email">; project: Project; before: Values; after: Values },
): Promise<Redeployed[]> {
  const changed = changedIn(before, after, (values) => values.digests);
  const places = await lockAll(uow, project, changed);
  const redeployed: Redeployed[] = [];
  for (const [place, values] of places) {
    if (!(await runsOtherwise(uow, place, values))) continue;
    const { id } = await makeDeployment(uow, deps, actor, {
      project,
      environment: values.environment,
      place,
      trigger: "variables",
      source: { kind: "active" },
      snapshot: values.snapshot,
    });
    redeployed.push({ deploymentId: id, service: place.name, environment: place.environment });
  }
  return redeployed;
}

/** Every place before any deployment, in one order, so that two who want several never wait for each other. */
async function lockAll(
  { services }: UnitOfWork,
  project: Project,
  changed: readonly ServiceValues[],
): Promise<[PlacedService, ServiceValues][]> {
  const inOrder = changed.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const places: [PlacedService, ServiceValues][] = [];
  for (const values of inOrder) {
    const place = await services.placed(project.id, values.environment.id, values.serviceId, "for update");
    if (place) places.push([place, values]);
  }
  return places;
}

const keyOf = ({ serviceId, environment }: ServiceValues): string => `${serviceId}/${environment.id}`;

/** Whether something runs or is on its way, with other values than these. */
async function runsOtherwise(
  { deployments }: UnitOfWork,
  place: PlacedService,
  { digests }: ServiceValues,
): Promise<boolean> {
  const coming = (await deployments.open(place.id, place.environmentId)).at(-1);
  const running = place.targetDeploymentId
    ? await deployments.byId(place.projectId, place.targetDeploymentId)
    : undefined;
  const newest = coming ?? running;
  return newest !== undefined && digestOf(newest.variableDigests) !== digestOf(digests);
}
