import { Fault } from "@starform/std/fault";
import type { Project } from "../access/ports.ts";
import type { Commit, SourceRef } from "../builds/ports.ts";
import { collectedFault } from "../images/collected-fault.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import type { Deployment } from "./ports.ts";

/** What to deploy. `active`: the image that runs (or the source that is about to), with today's variables and settings; `latest`: what was deployed last. */
export type DeploymentSource =
  | SourceRef
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "active" }
  | { readonly kind: "latest" };

/** What a deployment is made from: a source to build, or an image that is there. */
export type Origin = {
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

/** Finds it, or refuses with the way to one. */
export async function originOf(
  uow: UnitOfWork,
  project: Project,
  place: PlacedService,
  { source, commit }: { source: DeploymentSource; commit?: Commit | undefined },
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
  { deployments, retention }: UnitOfWork,
  project: Project,
  image: string,
): Promise<Origin> {
  // Images made here lie beside those of everybody else: a project may name its own.
  if (image.startsWith("starform.local/") && !(await deployments.hasImage(project.id, image)))
    throw new Fault(
      "not_found",
      `no build of this project made the image ${image}: roll back to one, or deploy the source`,
    );
  const collected = await retention.find(project.id, image);
  // What was pushed again after it had gone from a registry is there again.
  if (collected?.removedAt && !image.startsWith("starform.local/")) await retention.unmark(project.id, image);
  else if (collected) throw collectedFault(collected, { whose: image });
  const imageDigest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
  if (!imageDigest)
    throw new Fault(
      "conflict",
      `the image ${image} has no digest yet: deploy it with \`starform redeploy\`, which asks its registry`,
    );
  return {
    source: null,
    commit: null,
    buildId: null,
    image,
    imageDigest,
  };
}
