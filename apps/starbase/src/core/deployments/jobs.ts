import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/**
 * Gives a builder its next work: the ticket claims the build whose turn it is when it runs, and not the one that it was
 * made for.
 */
export const buildRun = job({
  name: "build.run",
  payload: z.object({ ticket: z.uuid() }),
  attemptsMax: 5,
});

export const keyOfTicket = (ticket: string): string => `build:${ticket}`;
