import type { Clock } from "@starform/std/clock";
import type { UnitOfWork } from "../stores.ts";
import { imagesCleanUp, serviceCleanUp } from "./jobs.ts";

/** Longer than an instance may take to finish its requests: until then it may still read its image. */
const drainedMs = 10 * 60_000;

/** Sees to what a service leaves outside the database. Before it is removed, with which its builds go. */
export async function cleanUpAfter(
  { deployments, jobs }: UnitOfWork,
  clock: Clock,
  { projectId, id: serviceId }: { projectId: string; id: string },
): Promise<void> {
  await jobs.enqueue(serviceCleanUp, { serviceId });
  const images = await deployments.imagesOf(serviceId);
  await jobs.enqueue(
    imagesCleanUp,
    { images, repository: { projectId, serviceId } },
    { runAt: new Date(clock.now().getTime() + drainedMs) },
  );
}
