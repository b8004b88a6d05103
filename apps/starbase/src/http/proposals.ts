import * as contract from "@starform/contract/proposals";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize } from "../core/access/authorize.ts";
import type { CreateProposal } from "../core/proposals/create-proposal.ts";
import type { Proposal } from "../core/proposals/ports.ts";
import type { Stores } from "../core/stores.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type ProposalDeps = ServeDeps & {
  stores: Pick<Stores, "proposals">;
  authorize: Authorize;
  createProposal: CreateProposal;
};

export function proposalRoutes(app: FastifyInstance, deps: ProposalDeps): void {
  serve(app, deps, contract.createProposal, async ({ actor, params, body }, deps) =>
    present(await deps.createProposal(actor, params.project, body)),
  );
  serve(app, deps, contract.getProposal, async ({ actor, params }) => {
    const { project } = await deps.authorize.project(actor, params.project, "project.read");
    return present((await deps.stores.proposals.byId(project.id, params.proposal)) ?? notFound("proposal"));
  });
}

const present = ({ found, ...proposal }: Proposal): contract.Proposal => ({
  id: proposal.id,
  projectId: proposal.projectId,
  source: { kind: "git", url: proposal.url },
  branch: found?.branch ?? proposal.ref,
  status: proposal.status,
  reason: proposal.reason,
  hint: proposal.hint,
  commit: found && { sha: found.commit.sha, message: found.commit.message, author: found.commit.author },
  services: [...(found?.services ?? [])],
  notes: [...(found?.notes ?? [])],
  createdBy: proposal.createdBy,
  createdAt: proposal.createdAt.toISOString(),
  endedAt: proposal.endedAt?.toISOString() ?? null,
  expiresAt: proposal.expiresAt.toISOString(),
});
