import type { Environment, Project } from "../access/ports.ts";
import type { Actor } from "../identity/actor.ts";
import type { Stores } from "../stores.ts";
import { resolveService } from "../variables/book.ts";
import { openBook, type BookDeps } from "../variables/open-book.ts";
import type { CreateDeployment } from "./create-deployment.ts";
import type { Deployment } from "./ports.ts";
import { snapshotDigests } from "./snapshot.ts";

export type RedeployChanged = (
  actor: Actor,
  project: Project,
  environments: readonly Environment[],
) => Promise<Deployment[]>;

/** Re-deploys every service that runs, or is about to, with other variables than it would get now, by whatever reference they changed. */
export const redeployChanged =
  ({
    stores,
    book: bookDeps,
    createDeployment,
  }: {
    stores: Stores;
    book: BookDeps;
    createDeployment: CreateDeployment;
  }): RedeployChanged =>
  async (actor, project, environments) => {
    const started: Deployment[] = [];
    for (const environment of environments) {
      const book = await openBook(stores, bookDeps, project, environment);
      for (const place of await stores.services.allPlaced(project.id, environment.id)) {
        const coming = (await stores.deployments.open(place.id, environment.id)).at(-1);
        const running = place.targetDeploymentId
          ? await stores.deployments.byId(project.id, place.targetDeploymentId)
          : undefined;
        const newest = coming ?? running;
        if (!newest) continue;
        const now = snapshotDigests(bookDeps.box, { injected: {}, groups: resolveService(book, place.id) });
        if (!isSame(now, newest.variableDigests))
          started.push(
            await createDeployment(actor, {
              project,
              environment,
              place,
              trigger: "variables",
              source: { kind: "active" },
            }),
          );
      }
    }
    return started;
  };

const isSame = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, digest]) => b[name] === digest);
