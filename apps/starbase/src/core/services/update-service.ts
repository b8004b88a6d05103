import type { Redeployed, Source } from "@starform/contract/services";
import type { Clock } from "@starform/std/clock";
import { authorizer, notFound, type Authorize, type EnvironmentAccess } from "../access/authorize.ts";
import type { Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import { makeDeployment } from "../deployments/create-deployment.ts";
import { redeployChanged } from "../deployments/redeploy-changed.ts";
import type { Actor } from "../identity/actor.ts";
import { refuseStale, type MadeOver } from "../refuse-stale.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import type { BookDeps } from "../variables/open-book.ts";
import { refuseTakenName } from "../variables/reference-names.ts";
import { valuesIn } from "../variables/service-values.ts";
import { hostOf } from "./place-service.ts";
import type { PlacedService } from "./ports.ts";
import { serviceChecksum, withPatch, type SettingsPatch } from "./settings.ts";
import { authorizeSource } from "./source.ts";

type Deps = {
  transact: Transact;
  authorize: Authorize;
  clock: Clock;
  appsDomain: string;
  book: BookDeps;
};
export type ServiceChange = {
  readonly name?: string | undefined;
  readonly source?: Source | undefined;
  readonly settings?: SettingsPatch | undefined;
};
type Ref = { project: string; service: string; environment: string };

/**
 * Changes a service in one environment. Replicas and drain act on what runs; tier, schedule, health check and start
 * command re-deploy the running image; build settings wait for the next deployment. A new name changes its address, so
 * whoever refers to that is re-deployed with it. All of it in one transaction.
 */
export const updateService =
  (deps: Deps) =>
  async (
    actor: Actor,
    { madeOver, ...ref }: Ref & { madeOver?: MadeOver },
    change: ServiceChange,
  ): Promise<{ place: PlacedService; redeployed: Redeployed[] }> => {
    const { transact, authorize, clock, book } = deps;
    const access = await authorize.environment(actor, ref.project, ref.environment, "services.write");
    const { project, environment } = access;
    if (change.source) await authorizeSource(authorize, actor, project, change.source);
    return transact(async (uow) => {
      if (change.name) await uow.projects.hold(project.id);
      const before =
        (await uow.services.placed(project.id, environment.id, ref.service, "for update")) ??
        notFound("service", ref.service);
      refuseStale(madeOver, serviceChecksum(before), `the service ${before.name}`);
      if (change.name || change.source) await mayEverywhere(uow, actor, before);
      if (change.name) await refuseTakenName(uow, project, { name: change.name, as: "service" });
      // Only a name reaches others, by the addresses that are made of it.
      const reach = {
        project,
        environments: change.name ? await uow.environments.ofProject(project.id) : [],
      };
      const values = await valuesIn(uow, book, { ...reach, strict: false });
      await write(uow, deps, { project, before, change });
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "service.updated",
        actor: actor.email,
        subject: before.name,
        detail: { environment: environment.name, ...change },
      });
      const place = (await uow.services.placed(project.id, environment.id, before.id))!;
      const own = await redeployOwn(uow, deps, { actor, access, before, after: place });
      const after = await valuesIn(uow, book, { ...reach, strict: false });
      const others = await redeployChanged(uow, deps, { actor, project, before: values, after });
      await uow.projects.touch(project.id);
      await uow.clusters.bumpVersion(project.clusterId);
      return { place, redeployed: [...own, ...others] };
    });
  };

/** Name and source are the same everywhere, so they are changed only by who may change it everywhere. */
async function mayEverywhere(uow: UnitOfWork, actor: Actor, place: PlacedService): Promise<void> {
  for (const { environment } of await uow.services.placesOf(place.projectId, place.id))
    await authorizer(uow).environment(actor, place.projectId, environment, "services.write");
}

async function write(
  { services }: UnitOfWork,
  { clock, appsDomain }: Deps,
  { project, before, change }: { project: Project; before: PlacedService; change: ServiceChange },
): Promise<void> {
  const { name, source, settings = {} } = change;
  await services.setSettings(
    before.id,
    before.environmentId,
    withPatch(before.settings, settings, before.type),
  );
  await services.update(project.id, before.id, {
    ...(name ? { name } : {}),
    ...(source ? { source } : {}),
    updatedAt: clock.now(),
  });
  if (!name || name === before.name || before.type !== "web") return;
  for (const { id, environmentId, environment } of await services.placesOf(project.id, before.id))
    await services.setHost(id, environmentId, hostOf(name, project, { name: environment }, appsDomain));
}

async function redeployOwn(
  uow: UnitOfWork,
  deps: Deps,
  {
    actor,
    access: { project, environment },
    before,
    after,
  }: { actor: Actor; access: EnvironmentAccess; before: PlacedService; after: PlacedService },
): Promise<Redeployed[]> {
  if (before.targetDeploymentId === null || !runsOtherwise(before, after)) return [];
  const { id } = await makeDeployment(uow, deps, actor, {
    project,
    environment,
    place: after,
    trigger: "settings",
    source: { kind: "active" },
  });
  return [{ deploymentId: id, service: after.name, environment: environment.name }];
}

const runsOtherwise = ({ settings: a }: PlacedService, { settings: b }: PlacedService): boolean =>
  a.tier !== b.tier ||
  a.schedule !== b.schedule ||
  a.startCommand !== b.startCommand ||
  JSON.stringify(a.healthCheck) !== JSON.stringify(b.healthCheck);
