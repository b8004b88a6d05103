import type { Clock } from "@starform/std/clock";
import { record } from "../audit/record.ts";
import type { UnitOfWork } from "../stores.ts";
import type { ProposalEnd } from "./ports.ts";

export type Which = { readonly projectId: string; readonly proposalId: string };

/** Ends a proposal unless it has ended, and says in the audit what came of it; answers whether it did. */
export async function endProposal(
  { proposals, projects, audit }: UnitOfWork,
  clock: Clock,
  { projectId, proposalId }: Which,
  how: ProposalEnd,
): Promise<boolean> {
  const ended = await proposals.end(projectId, proposalId, how, clock.now());
  if (!ended) return false;
  await projects.touch(projectId);
  const came =
    how.status === "ready"
      ? {
          event: "proposal.found",
          detail: { services: how.found.services.map(({ name }) => name).join(", ") },
        }
      : { event: "proposal.failed", detail: { reason: how.reason } };
  await record(audit, clock, {
    workspaceId: ended.workspaceId,
    projectId,
    ...came,
    actor: "starform",
    subject: ended.url.slice(0, 255),
  });
  return true;
}
