import type { ServiceType } from "@starform/contract/names";
import type { Source } from "@starform/contract/services";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { authorizer, notFound, type Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import { cancelOpen } from "../deployments/cancel.ts";
import { removedServices } from "../desired-state/removed-services.ts";
import type { Actor } from "../identity/actor.ts";
import type { Transact } from "../stores.ts";
import type { BookDeps } from "../variables/open-book.ts";
import { refuseTakenName } from "../variables/reference-names.ts";
import { refuseReferred } from "../variables/refuse-referred.ts";
import { cleanUpAfter } from "./clean-up-after.ts";
import { placeService } from "./place-service.ts";
import type { PlacedService } from "./ports.ts";
import { checkSchedule, defaultSettings, withPatch, type SettingsPatch } from "./settings.ts";
import { authorizeSource } from "./source.ts";

type Deps = {
  transact: Transact;
  authorize: Authorize;
  clock: Clock;
  appsDomain: string;
  book: BookDeps;
};

export type NewService = {
  readonly name: string;
  readonly type: ServiceType;
  readonly source: Source;
  readonly settings?: SettingsPatch | undefined;
  /** The proposal that it was chosen from. */
  readonly proposal?: string | undefined;
};

/** A service in every environment; only the first follows the branch. */
export const createService =
  ({ transact, authorize, clock, appsDomain }: Deps) =>
  async (actor: Actor, ref: string, input: NewService): Promise<PlacedService> => {
    const { project } = await authorize.project(actor, ref, "services.write");
    await authorizeSource(authorize, actor, project, input.source);
    const settings = withPatch(defaultSettings, input.settings ?? {}, input.type);
    if (input.type === "cron") checkSchedule(settings.schedule ?? missingSchedule());
    return transact(async (uow) => {
      // An environment that is made at this moment would miss the service, and it that.
      await uow.projects.hold(project.id);
      const now = clock.now();
      const { name, type, source } = input;
      await refuseTakenName(uow, project, { name, as: "service" });
      const service = {
        id: uuid(now.getTime()),
        workspaceId: project.workspaceId,
        projectId: project.id,
        name,
        type,
        source,
        createdAt: now,
        updatedAt: now,
      };
      await uow.services.insert(service);
      const environments = await uow.environments.ofProject(project.id);
      for (const [index, environment] of environments.entries())
        await placeService(uow, {
          project,
          service,
          environment,
          settings: index === 0 ? settings : { ...settings, branch: null },
          appsDomain,
        });
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "service.created",
        actor: actor.email,
        subject: name,
      });
      const proposal = input.proposal && (await uow.proposals.byId(project.id, input.proposal));
      if (proposal)
        await record(uow.audit, clock, {
          workspaceId: project.workspaceId,
          projectId: project.id,
          event: "proposal.accepted",
          actor: actor.email,
          subject: proposal.url.slice(0, 255),
          detail: { service: name },
        });
      await uow.projects.touch(project.id);
      return (await uow.services.placed(project.id, environments[0]!.id, service.id))!;
    });
  };

const missingSchedule = (): never => {
  throw new Fault("invalid", 'a cron service needs a schedule: five fields, UTC, for example "0 4 * * *"');
};

export const deleteService =
  ({ transact, authorize, clock, book }: Deps) =>
  async (actor: Actor, ref: { project: string; service: string }): Promise<void> => {
    const { project } = await authorize.project(actor, ref.project, "services.write");
    await transact(async (uow) => {
      await uow.projects.hold(project.id);
      const service =
        (await uow.services.ofProject(project.id)).find(
          (s) => s.id === ref.service || s.name === ref.service,
        ) ?? notFound("service", ref.service);
      const places = await uow.services.placesOf(project.id, service.id);
      for (const place of places) {
        // Somebody who may not touch a protected environment may not delete what runs there either.
        await authorizer(uow).environment(actor, project.id, place.environment, "services.write");
        await cancelOpen(uow, clock, place, "the service was deleted");
      }
      await refuseReferred(uow, book, project, { id: service.id, name: `service ${service.name}` });
      await cleanUpAfter(uow, clock, service);
      const rows = await uow.desired.rowsOf({ projectId: project.id, serviceId: service.id });
      await uow.services.remove(project.id, service.id);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "service.deleted",
        actor: actor.email,
        subject: service.name,
      });
      await uow.projects.touch(project.id);
      await uow.clusters.bumpVersion(project.clusterId, removedServices(rows));
    });
  };

export const restartService =
  ({ transact, authorize, clock }: Deps) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string },
  ): Promise<PlacedService> => {
    const { project, environment } = await authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "deployments.write",
    );
    return transact(async (uow) => {
      const place =
        (await uow.services.placed(project.id, environment.id, ref.service)) ??
        notFound("service", ref.service);
      if (!place.targetDeploymentId)
        throw new Fault("conflict", `${place.name} does not run in ${environment.name} yet: deploy it first`);
      await uow.services.setRestartNonce(place.id, environment.id, uuid(clock.now().getTime()));
      await uow.clusters.bumpVersion(project.clusterId);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "service.restarted",
        actor: actor.email,
        subject: place.name,
        detail: { environment: environment.name },
      });
      return place;
    });
  };
