import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/** Builds what a deployment is made from; one at a time per service and environment, in the order of the pushes. */
export const buildRun = job({
  name: "build.run",
  payload: z.object({ deploymentId: z.uuid(), place: z.string() }),
  attemptsMax: 5,
  queue: ({ place }) => `build:${place}`,
});

export const buildKeyOfJob = (deploymentId: string): string => `build:${deploymentId}`;
