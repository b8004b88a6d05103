import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/** Removes the logs of a deleted project. */
export const projectCleanUp = job({
  name: "project.clean_up",
  payload: z.object({ workspaceId: z.uuid(), projectId: z.uuid() }),
  attemptsMax: 10,
});
