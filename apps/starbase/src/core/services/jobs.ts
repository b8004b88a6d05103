import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/** Removes the code that was kept of a deleted service. */
export const serviceCleanUp = job({
  name: "service.clean_up",
  payload: z.object({ serviceId: z.uuid() }),
  attemptsMax: 10,
});

/** Removes the images that a deleted service was built into, and whatever else its repository holds. */
export const imagesCleanUp = job({
  name: "images.clean_up",
  payload: z.object({
    images: z.array(z.string()),
    // Jobs of before have none.
    repository: z.object({ projectId: z.uuid(), serviceId: z.uuid() }).optional(),
  }),
  attemptsMax: 10,
});
