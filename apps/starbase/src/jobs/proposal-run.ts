import { proposalRun } from "../core/proposals/jobs.ts";
import type { RunProposal } from "../core/proposals/run-proposal.ts";
import { handle, type JobHandler } from "../ports/job-queue.ts";

/** Looks into the repository of a proposal. When it is given up, the proposal fails with the last reason. */
export const proposalRunJob = ({ run, giveUp }: RunProposal): JobHandler => handle(proposalRun, run, giveUp);
