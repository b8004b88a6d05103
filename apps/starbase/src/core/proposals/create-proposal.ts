import { openProposalsMax, proposalHours } from "@starform/contract/proposals";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import type { Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import { authorizeSource } from "../services/source.ts";
import type { Transact } from "../stores.ts";
import { keyOfProposal, proposalRun } from "./jobs.ts";
import type { Proposal } from "./ports.ts";

export type CreateProposal = (
  actor: Actor,
  ref: string,
  asked: { url: string; branch?: string | undefined },
) => Promise<Proposal>;

/** Sets the Worker to look for services in a repository. For who may make services, and under the rules of their sources. */
export const createProposal =
  ({
    transact,
    authorize,
    clock,
  }: {
    transact: Transact;
    authorize: Authorize;
    clock: Clock;
  }): CreateProposal =>
  async (actor, ref, { url, branch }) => {
    const { project } = await authorize.project(actor, ref, "services.write");
    await authorizeSource(authorize, actor, project, { kind: "git", url });
    return transact(async (uow) => {
      await uow.workspaces.hold(project.workspaceId);
      if ((await uow.proposals.countOpen(project.workspaceId)) >= openProposalsMax)
        throw new Fault(
          "rate_limited",
          `${openProposalsMax} repositories are being looked into for this workspace already: try again when one of them is done`,
        );
      const now = clock.now();
      const proposal: Proposal = {
        id: uuid(now.getTime()),
        workspaceId: project.workspaceId,
        projectId: project.id,
        url,
        ref: branch ?? null,
        status: "queued",
        reason: null,
        hint: null,
        found: null,
        createdBy: actor.email,
        createdAt: now,
        endedAt: null,
        expiresAt: new Date(now.getTime() + proposalHours * 3_600_000),
      };
      await uow.proposals.insert(proposal);
      const { id: proposalId, workspaceId, projectId } = proposal;
      const ids = { workspaceId, projectId, proposalId };
      await uow.jobs.enqueue(proposalRun, ids, { key: keyOfProposal(proposal.id) });
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "proposal.created",
        actor: actor.email,
        subject: url.slice(0, 255),
      });
      return proposal;
    });
  };
