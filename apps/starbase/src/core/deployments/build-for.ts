import { digestOf } from "@starform/std/canonical-json";
import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import type { PlacedService } from "../services/ports.ts";
import { buildSettingsOf } from "../services/settings.ts";
import type { UnitOfWork } from "../stores.ts";
import type { BookDeps } from "../variables/open-book.ts";
import type { Origin } from "./deployment-origin.ts";
import type { Build } from "./ports.ts";
import { snapshotDigests, type VariableSnapshot } from "./snapshot.ts";

/** The build a deployment needs: an earlier one of the same key, a new one, or none for a ready image. */
export async function buildFor(
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
