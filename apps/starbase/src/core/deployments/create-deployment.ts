import { digestOf } from "@starform/std/canonical-json";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import { callBuilder } from "../builds/run-next-build.ts";
import type { Commit, SourceRef } from "../builds/ports.ts";
import type { Actor } from "../identity/actor.ts";
import type { PlacedService } from "../services/ports.ts";
import { buildSettingsOf } from "../services/settings.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { resolveService } from "../variables/book.ts";
import { openBook, type BookDeps } from "../variables/open-book.ts";
import { activate, runConfigOf } from "./activate.ts";
import { endWith, leaveLine } from "./end.ts";
import type { Build, Deployment, Trigger } from "./ports.ts";
import { sealSnapshot, snapshotDigests, type VariableSnapshot } from "./snapshot.ts";
import { skippedToDeploy, waitingStages } from "./stages.ts";

/** What to deploy. `active`: the image that runs (or the source that is about to), with today's variables and settings; `latest`: what was deployed last. */
export type DeploymentSource =
  | SourceRef
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "active" }
  | { readonly kind: "latest" };

export type NewDeployment = {
  readonly project: Project;
  readonly environment: Environment;
  readonly place: Pick<PlacedService, "id">;
  readonly trigger: Trigger;
  readonly source: DeploymentSource;
  readonly commit?: Commit | undefined;
  readonly noCache?: boolean | undefined;
};
export type CreateDeployment = (actor: Pick<Actor, "email">, input: NewDeployment) => Promise<Deployment>;

const debounceMs = 5_000;

/**
 * Makes a receipt and sets it on its way: to the builder, or at once to the cluster where an image of the same source,
 * settings and variables exists. Who may do so was decided before.
 */
export const createDeployment =
  (deps: { transact: Transact; clock: Clock; book: BookDeps }): CreateDeployment =>
  (actor, input) =>
    deps.transact(async (uow) => {
      const { project, environment } = input;
      const place = await uow.services.placed(project.id, environment.id, input.place.id, "for update");
      if (!place) throw new Fault("not_found", "the service was deleted meanwhile");
      const snapshot = await takeSnapshot(uow, deps.book, project, environment, place.id);
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
    });

type Origin = {
  readonly source: SourceRef | null;
  readonly commit: Commit | null;
  readonly buildId: string | null;
  readonly image: string | null;
  readonly imageDigest: string | null;
};
const fromSource = (source: SourceRef, commit: Commit | null): Origin => ({
  source,
  commit,
  buildId: null,
  image: null,
  imageDigest: null,
});

async function originOf(
  uow: UnitOfWork,
  project: Project,
  place: PlacedService,
  { source, commit }: NewDeployment,
): Promise<Origin> {
  if (source.kind === "image") return fromImage(uow, project, source.image);
  if (source.kind !== "active" && source.kind !== "latest") return fromSource(source, commit ?? null);
  // What is on its way to be built is newer than what runs: with the old image it would be overtaken and lost.
  const coming = (await uow.deployments.open(place.id, place.environmentId)).findLast(
    (open) => open.source !== null && open.image === null,
  );
  if (source.kind === "active" && coming?.source) return fromSource(coming.source, coming.commit);
  const running = place.targetDeploymentId ?? place.activeDeploymentId;
  const earlier =
    source.kind === "active"
      ? running && (await uow.deployments.byId(project.id, running))
      : await latestWithSource(uow, project, place);
  if (earlier && source.kind === "active" && earlier.image)
    return {
      source: earlier.source,
      commit: earlier.commit,
      buildId: earlier.buildId,
      image: earlier.image,
      imageDigest: earlier.imageDigest,
    };
  if (earlier && earlier.source) return fromSource(earlier.source, earlier.commit);
  if (earlier && earlier.image) return fromImage(uow, project, earlier.image);
  if (place.source.kind === "git")
    return fromSource({ kind: "git", url: place.source.url, ref: place.settings.branch ?? "HEAD" }, null);
  if (place.source.kind === "image") return fromImage(uow, project, place.source.image);
  throw new Fault(
    "conflict",
    `${place.name} was never deployed in ${place.environment}: push to it with \`git push starform main\`, or run \`starform up\` in its folder`,
  );
}

async function latestWithSource(
  uow: UnitOfWork,
  project: Project,
  place: PlacedService,
): Promise<Deployment | undefined> {
  const [page] = [await uow.deployments.page(project.id, place.id, place.environmentId, { limit: 20 })];
  return page.find((deployment) => deployment.source !== null || deployment.image !== null);
}

async function fromImage(
  { clusters, deployments }: UnitOfWork,
  project: Project,
  image: string,
): Promise<Origin> {
  // Images made here lie beside those of everybody else: a project may name its own.
  if (image.startsWith("starform.local/") && !(await deployments.hasImage(project.id, image)))
    throw new Fault(
      "not_found",
      `no build of this project made the image ${image}: roll back to one, or deploy the source`,
    );
  const cluster = await clusters.byId(project.clusterId);
  if (cluster?.runtime === "process" && !image.startsWith("starform.local/"))
    throw new Fault(
      "invalid",
      `the process runtime cannot run the image ${image}: start the platform with --runtime docker, or deploy the source instead`,
    );
  return {
    source: null,
    commit: null,
    buildId: null,
    image,
    imageDigest: /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null,
  };
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

/** The build a deployment needs: an earlier one of the same key, a new one, or none for a ready image. */
async function buildFor(
  uow: UnitOfWork,
  { clock, book }: { clock: Clock; book: BookDeps },
  {
    place,
    origin,
    snapshot,
    noCache,
  }: { place: PlacedService; origin: Origin; snapshot: VariableSnapshot; noCache: boolean },
): Promise<Build | undefined> {
  if (origin.image) return origin.buildId ? uow.deployments.buildById(origin.buildId) : undefined;
  const isFixed = origin.source?.kind !== "git";
  const buildKey = digestOf({
    source: origin.source,
    settings: buildSettingsOf(place.settings),
    type: place.type,
    environment: place.environment,
    variables: snapshotDigests(book.box, snapshot),
    ...(isFixed ? {} : { once: uuid() }),
  });
  const earlier = noCache ? undefined : await uow.deployments.builtByKey(place.id, buildKey);
  if (earlier) return earlier;
  const build: Build = {
    id: uuid(clock.now().getTime()),
    workspaceId: place.workspaceId,
    projectId: place.projectId,
    serviceId: place.id,
    buildKey,
    image: null,
    imageDigest: null,
    sizeBytes: null,
    info: {},
    fileSettings: {},
    createdAt: clock.now(),
    endedAt: null,
  };
  await uow.deployments.insertBuild(build);
  return build;
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

/**
 * What waits gives way to what is newer; what is being built goes on, so that rapid pushing never starves. Answers since
 * when the place has been in line.
 */
async function supersedePending(
  uow: UnitOfWork,
  clock: Clock,
  place: PlacedService,
  newer: Deployment,
): Promise<Date | undefined> {
  let since: Date | undefined;
  for (const open of await uow.deployments.open(place.id, place.environmentId)) {
    if (open.number >= newer.number || open.status !== "pending") continue;
    await endWith(uow, clock, open, "cancelled", `superseded by #${newer.number}`);
    const left = await leaveLine(uow, open.id);
    since ??= left;
  }
  return since;
}

/** A first push starts at once; one that follows within five seconds waits them out, so that a third may replace it. */
async function getInLine(
  uow: UnitOfWork,
  clock: Clock,
  { id, workspaceId, projectId, serviceId, environmentId, trigger }: Deployment,
  since: Date | undefined,
): Promise<void> {
  const now = clock.now();
  const [, before] = await uow.deployments.page(projectId, serviceId, environmentId, { limit: 2 });
  const isQuick = trigger === "push" && before?.trigger === "push";
  const readyAt = new Date(
    isQuick ? Math.max(now.getTime(), before.createdAt.getTime() + debounceMs) : now.getTime(),
  );
  await uow.buildQueue.add({
    deploymentId: id,
    workspaceId,
    serviceId,
    environmentId,
    enqueuedAt: since ?? now,
    readyAt,
  });
  await callBuilder(uow, readyAt > now ? readyAt : undefined);
  await uow.changes.announce({ kind: "build_queue" });
}
