import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/** Fetches the repository of a proposal and looks into it; one of a project at a time. */
export const proposalRun = job({
  name: "proposal.run",
  payload: z.object({ projectId: z.uuid(), proposalId: z.uuid() }),
  attemptsMax: 3,
  queue: ({ projectId }) => `proposals:${projectId}`,
});

export const keyOfProposal = (id: string): string => `proposal:${id}`;
