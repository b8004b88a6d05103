import type { Clock } from "@starform/std/clock";
import type { UnitOfWork } from "../stores.ts";
import { imagesCleanUp, serviceCleanUp } from "./jobs.ts";

/** Longer than an instance may take to finish its requests: until then it may still read its image. */
const drainedMs = 10 * 60_000;

/** Sees to what a service leaves outside the database. Before it is removed, with which its builds go. */
export async function cleanUpAfter(
  { deployments, jobs }: UnitOfWork,
  clock: Clock,
  serviceId: string,
): Promise<void> {
  await jobs.enqueue(serviceCleanUp, { serviceId });
  const images = await deployments.imagesOf(serviceId);
  if (images.length > 0)
    await jobs.enqueue(imagesCleanUp, { images }, { runAt: new Date(clock.now().getTime() + drainedMs) });
}
