import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import type { Commit } from "../builds/ports.ts";
import type { Actor } from "../identity/actor.ts";
import type { PinImage } from "../images/pin-image.ts";
import type { PlacedService } from "../services/ports.ts";
import type { Stores, Transact, UnitOfWork } from "../stores.ts";
import { resolveService } from "../variables/book.ts";
import { openBook, type BookDeps } from "../variables/open-book.ts";
import { activate, runConfigOf } from "./activate.ts";
import { buildFor } from "./build-for.ts";
import { getInLine, supersedePending } from "./build-line.ts";
import { originOf, type DeploymentSource, type Origin } from "./deployment-origin.ts";
import { pinnedSource } from "./pinned-source.ts";
import type { Build, Deployment, Trigger } from "./ports.ts";
import { sealSnapshot, snapshotDigests, type VariableSnapshot } from "./snapshot.ts";
import { skippedToDeploy, waitingStages } from "./stages.ts";

export type NewDeployment = {
  readonly project: Project;
  readonly environment: Environment;
  readonly place: Pick<PlacedService, "id">;
  readonly trigger: Trigger;
  readonly source: DeploymentSource;
  readonly commit?: Commit | undefined;
  readonly noCache?: boolean | undefined;
  /** What it gets, where that is known already. */
  readonly snapshot?: VariableSnapshot;
};
export type CreateDeployment = (actor: Pick<Actor, "email">, input: NewDeployment) => Promise<Deployment>;

type Deps = { readonly clock: Clock; readonly book: BookDeps };

/** Makes a deployment in a transaction of its own. Who may do so was decided before. */
export const createDeployment =
  ({
    transact,
    stores,
    pin,
    ...deps
  }: Deps & { transact: Transact; stores: Pick<Stores, "services">; pin: PinImage }): CreateDeployment =>
  async (actor, input) => {
    const source = await pinnedSource({ services: stores.services, pin }, input);
    return transact((uow) => makeDeployment(uow, deps, actor, { ...input, source }));
  };

/**
 * Makes a receipt and sets it on its way: to the builder, or at once to the cluster where an image of the same source,
 * settings and variables exists. Holds its place from here on.
 */
export async function makeDeployment(
  uow: UnitOfWork,
  deps: Deps,
  actor: Pick<Actor, "email">,
  input: NewDeployment,
): Promise<Deployment> {
  const { project, environment } = input;
  const place = await uow.services.placed(project.id, environment.id, input.place.id, "for update");
  if (!place) throw new Fault("not_found", "the service was deleted meanwhile");
  const snapshot = input.snapshot ?? (await takeSnapshot(uow, deps.book, project, environment, place.id));
  const origin = await originOf(uow, project, place, input);
  const build = await buildFor(uow, deps, { place, origin, snapshot, noCache: input.noCache ?? false });
  const deployment = await insert(uow, deps, { actor, input, place, origin, build, snapshot });
  await record(uow.audit, deps.clock, {
    workspaceId: project.workspaceId,
    projectId: project.id,
    event: "deployment.created",
    actor: actor.email,
    subject: `${place.name} #${deployment.number}`,
    detail: { trigger: input.trigger, environment: environment.name },
  });
  const replaced = await supersedePending(uow, deps.clock, place, deployment);
  const image = origin.image ?? build?.image;
  if (image) {
    const settings = { ...place.settings, ...build?.fileSettings };
    const imageDigest = origin.imageDigest ?? build?.imageDigest ?? null;
    const active = await activate(uow, deps.clock, {
      deployment,
      place,
      clusterId: project.clusterId,
      config: runConfigOf(place, settings),
      image,
      imageDigest,
    });
    return active ?? deployment;
  }
  await getInLine(uow, deps.clock, deployment, replaced);
  await uow.projects.touch(project.id);
  return deployment;
}

async function takeSnapshot(
  uow: UnitOfWork,
  bookDeps: BookDeps,
  project: Project,
  environment: Environment,
  serviceId: string,
): Promise<VariableSnapshot> {
  const book = await openBook(uow, bookDeps, project, environment);
  return {
    injected: book.services.find((service) => service.id === serviceId)?.injected ?? {},
    groups: resolveService(book, serviceId),
  };
}

async function insert(
  uow: UnitOfWork,
  { clock, book }: { clock: Clock; book: BookDeps },
  {
    actor,
    input,
    place,
    origin,
    build,
    snapshot,
  }: {
    actor: Pick<Actor, "email">;
    input: NewDeployment;
    place: PlacedService;
    origin: Origin;
    build: Build | undefined;
    snapshot: VariableSnapshot;
  },
): Promise<Deployment> {
  const now = clock.now();
  const isReady = (origin.image ?? build?.image ?? null) !== null;
  const deployment: Deployment = {
    id: uuid(now.getTime()),
    workspaceId: place.workspaceId,
    projectId: place.projectId,
    serviceId: place.id,
    environmentId: place.environmentId,
    number: await uow.services.nextNumber(place.id, place.environmentId),
    status: "pending",
    reason: null,
    trigger: input.trigger,
    source: origin.source,
    commit: origin.commit,
    buildId: build?.id ?? null,
    image: null,
    imageDigest: null,
    config: null,
    variables: sealSnapshot(book.box, snapshot),
    variableDigests: snapshotDigests(book.box, snapshot),
    noCache: input.noCache ?? false,
    stages: isReady ? skippedToDeploy() : waitingStages(),
    rollbackOf: null,
    createdBy: actor.email,
    createdAt: now,
    deployingAt: null,
    endedAt: null,
    revision: 1,
  };
  await uow.deployments.insert(deployment);
  return deployment;
}
