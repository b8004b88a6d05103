import { z } from "zod";
import { job } from "../../ports/job-queue.ts";

/** Fetches the repository of a proposal and looks into it; one of a workspace at a time. */
export const proposalRun = job({
  name: "proposal.run",
  payload: z.object({ workspaceId: z.uuid(), projectId: z.uuid(), proposalId: z.uuid() }),
  attemptsMax: 3,
  queue: ({ workspaceId }) => `proposals:${workspaceId}`,
});

export const keyOfProposal = (id: string): string => `proposal:${id}`;
