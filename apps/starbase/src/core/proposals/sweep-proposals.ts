import type { Clock } from "@starform/std/clock";
import type { Stores, Transact } from "../stores.ts";
import { endProposal } from "./end-proposal.ts";
import { keyOfProposal } from "./jobs.ts";

const graceMs = 3 * 60_000;

/** Ends proposals whose Worker died once too often, so that none is under way for ever. Answers how many. */
export const sweepProposals =
  ({ stores, transact, clock }: { stores: Pick<Stores, "proposals">; transact: Transact; clock: Clock }) =>
  async (): Promise<number> => {
    const open = await stores.proposals.openBefore(new Date(clock.now().getTime() - graceMs));
    const reason = "looking into the repository was interrupted too often: try again";
    let swept = 0;
    for (const { id, projectId } of open)
      await transact(async (uow) => {
        if (await uow.jobs.isOpen(keyOfProposal(id))) return;
        const how = { status: "failed", reason, hint: null } as const;
        if (await endProposal(uow, clock, { projectId, proposalId: id }, how)) swept += 1;
      });
    return swept;
  };
