import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { notFound, type Authorize } from "../access/authorize.ts";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import type { PushedTrees } from "../builds/ports.ts";
import type { GitAccess, PushOutcome, PushUpdate } from "../builds/git-remote.ts";
import type { Authenticate } from "../identity/authenticate.ts";
import type { Actor } from "../identity/actor.ts";
import type { PlacedService, Service } from "../services/ports.ts";
import type { Stores } from "../stores.ts";
import type { CreateDeployment } from "./create-deployment.ts";
import { isUntouched, type Untouched } from "./is-untouched.ts";

/** Somebody at the repository of one service. */
export type ServiceAccess = GitAccess & {
  readonly actor: Actor;
  readonly project: Project;
  readonly service: Service;
};

type Deps = { stores: Stores; authorize: Authorize; createDeployment: CreateDeployment };
type PushDeps = Pick<Deps, "stores" | "createDeployment"> & { trees: PushedTrees; clock: Clock };

/** Who may read or push to a service's repository. Pushing needs the right to deploy somewhere in the project. */
export const authorizeGit =
  ({ stores, authorize, authenticate }: Deps & { authenticate: Authenticate }) =>
  async (
    authorization: string | undefined,
    projectRef: string,
    serviceRef: string,
    action: "read" | "push",
  ): Promise<ServiceAccess> => {
    const actor = await authenticate(authorization);
    const { project } = await authorize.project(
      actor,
      projectRef,
      action === "push" ? "deployments.write" : "project.read",
    );
    const service = (await stores.services.ofProject(project.id)).find(
      (s) => s.name === serviceRef || s.id === serviceRef,
    );
    if (!service) return notFound("service", serviceRef);
    return { actor, project, service, serviceId: service.id };
  };

/**
 * Deploys a pushed branch to every environment that follows it, unless it changes nothing that the service watches
 * there; what is not deployed is told, not skipped in silence.
 */
export const acceptPush =
  (deps: Deps & PushDeps) =>
  async ({ actor, project, service }: ServiceAccess, update: PushUpdate): Promise<readonly PushOutcome[]> => {
    const branch = update.ref.replace(/^refs\/heads\//, "");
    const places = await deps.stores.services.placesOf(project.id, service.id);
    const following = places.filter((place) => place.settings.branch === branch);
    if (following.length === 0) return [nothing(branch, service, places)];
    const outcomes: PushOutcome[] = [];
    for (const place of following) outcomes.push(await deployTo(deps, actor, { project, place, update }));
    return outcomes;
  };

async function deployTo(
  deps: Deps & PushDeps,
  actor: Actor,
  { project, place, update }: { project: Project; place: PlacedService; update: PushUpdate },
): Promise<PushOutcome> {
  try {
    const { environment } = await deps.authorize.environment(
      actor,
      project.id,
      place.environment,
      "deployments.write",
    );
    return await start(deps, actor, { project, environment, place, update });
  } catch (error) {
    if (error instanceof Fault)
      return { kind: "nothing", message: `${place.environment}: not deployed: ${error.message}` };
    throw error;
  }
}

async function start(
  { stores, trees, clock, createDeployment }: PushDeps,
  actor: Pick<Actor, "email">,
  {
    project,
    environment,
    place,
    update,
  }: { project: Project; environment: Environment; place: PlacedService; update: PushUpdate },
): Promise<PushOutcome> {
  const untouched = await isUntouched({ stores, trees }, place, update);
  if (untouched) {
    await record(stores.audit, clock, {
      workspaceId: project.workspaceId,
      projectId: project.id,
      event: "push.not_deployed",
      actor: actor.email,
      subject: place.name,
      detail: { environment: environment.name, commit: update.newSha, ...untouched },
    });
    return { kind: "nothing", message: sayUntouched(place, untouched, update.commit.ref) };
  }
  const deployment = await createDeployment(actor, {
    project,
    environment,
    place,
    trigger: "push",
    source: { kind: "commit", sha: update.newSha },
    commit: update.commit,
  });
  return {
    kind: "deploying",
    deploymentId: deployment.id,
    environment: environment.name,
    number: deployment.number,
  };
}

const sayUntouched = (
  { name, environment }: PlacedService,
  { since, sha, watchPaths }: Untouched,
  branch: string,
): string =>
  `${environment}: not deployed: since #${since} (${sha.slice(0, 7)}) nothing changed in the watch paths of ${name} (${sayFirst(watchPaths, 5)}); \`starform redeploy --ref ${branch}\` deploys it all the same`;

const sayFirst = (texts: readonly string[], count: number): string =>
  [...texts.slice(0, count), ...(texts.length > count ? [`${texts.length - count} more`] : [])].join(", ");

function nothing(branch: string, service: Service, places: readonly PlacedService[]): PushOutcome {
  const [first] = places.filter((place) => place.settings.branch !== null);
  const way = first
    ? `${first.environment} follows ${first.settings.branch}: push with \`git push starform ${branch}:${first.settings.branch}\`, or change the branch in the service's settings`
    : "no environment follows a branch: set one in the service's settings";
  return { kind: "nothing", message: `${branch}: kept, but it deploys nowhere in ${service.name}; ${way}` };
}

/** Hands on a head that was pushed and lost, in the platform's own name. */
export const acceptLostPush =
  (deps: PushDeps) =>
  async (serviceId: string, update: PushUpdate): Promise<readonly PushOutcome[]> => {
    const { stores } = deps;
    const found = await stores.desired.projectOfService(serviceId);
    if (!found) throw new Fault("not_found", "the service is gone");
    const branch = update.ref.replace(/^refs\/heads\//, "");
    const outcomes: PushOutcome[] = [];
    for (const place of await stores.services.placesOf(found.id, serviceId)) {
      const environment = await stores.access.environment(found.id, place.environment);
      // Who pushed is not known any more, so what is protected waits for somebody who may.
      if (place.settings.branch !== branch || !environment || environment.isProtected) continue;
      outcomes.push(await start(deps, { email: "starform" }, { project: found, environment, place, update }));
    }
    return outcomes;
  };
