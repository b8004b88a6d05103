import type { ServiceProposal } from "@starform/build-plan/plan-info";
import { type ProposeApart, proposedSettings } from "@starform/build-plan/propose-apart";
import { ProposedService } from "@starform/contract/proposals";
import type { Clock } from "@starform/std/clock";
import { isFault } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import { storable } from "@starform/std/storable";
import type { SourceStore } from "../builds/ports.ts";
import type { WorkDirs } from "../builds/work-dirs.ts";
import { platformDiskIsFull } from "../full-disk.ts";
import type { Transact } from "../stores.ts";
import { endProposal, type Which } from "./end-proposal.ts";
import type { Proposal, ProposalEnd } from "./ports.ts";

export type RunProposalDeps = {
  readonly transact: Transact;
  readonly clock: Clock;
  readonly sources: Pick<SourceStore, "fetchOnce">;
  readonly propose: ProposeApart;
  readonly workDirs: WorkDirs;
};

export type RunProposal = {
  /**
   * Fetches the repository and proposes its services. What its owner must change ends the proposal with the reason; a
   * fault of the platform rejects, so that the job is tried again. It may run twice.
   */
  run(which: Which, signal: AbortSignal): Promise<void>;
  /** It is not tried again: the proposal has failed with the reason. */
  giveUp(which: Which, reason: string): Promise<void>;
};

export function runProposal(deps: RunProposalDeps): RunProposal {
  const { transact, clock } = deps;
  const end = (which: Which, how: ProposalEnd): Promise<boolean> =>
    transact((uow) => endProposal(uow, clock, which, how));
  return {
    async run(which, signal) {
      const proposal = await transact(async ({ proposals, projects }) => {
        const begun = await proposals.begin(which.projectId, which.proposalId);
        if (begun) await projects.touch(which.projectId);
        return begun;
      });
      if (proposal) await end(which, await endOf(deps, proposal, signal));
    },
    async giveUp(which, reason) {
      await end(which, {
        status: "failed",
        reason: `looking into the repository failed: ${reason}`,
        hint: null,
      });
    },
  };
}

async function endOf(deps: RunProposalDeps, proposal: Proposal, signal: AbortSignal): Promise<ProposalEnd> {
  try {
    return await look(deps, proposal, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isFullDisk(error)) return failed(platformDiskIsFull);
    // What is the repository's own; all else may heal.
    if (!isFault(error) || error.code === "unavailable" || error.code === "internal") throw error;
    return failed(error.message);
  }
}

const failed = (reason: string, hint: string | null = null): ProposalEnd => ({
  status: "failed",
  reason,
  hint,
});

async function look(
  { sources, propose, workDirs }: RunProposalDeps,
  { id, projectId, url, ref }: Proposal,
  signal: AbortSignal,
): Promise<ProposalEnd> {
  await using dir = await workDirs.open(id);
  const fetched = await sources.fetchOnce({ id, projectId }, { url, ref }, dir.path, signal);
  const { services, notes, error } = await propose(dir.path, signal);
  if (services.length === 0)
    return failed(
      storable(error?.message ?? "no app was found in the source"),
      storable(error?.hint) ?? null,
    );
  const told = services.map((one) => ofContract(one, fetched.branch));
  const fit = told.flatMap(({ service }) => service ?? []);
  const more = told.flatMap(({ note }) => note ?? []);
  if (fit.length === 0) return failed(storable(more[0]!));
  return {
    status: "ready",
    found: storable({ ...fetched, services: fit, notes: [...notes, ...more] }),
  };
}

/** A proposal in the words of `createService`; a note where a service could not be made of it. */
function ofContract(
  proposal: ServiceProposal,
  branch: string | null,
): { service?: ProposedService; note?: string } {
  const { name, type, provider, reason, variables, rootDirectory, plannedStart } = proposal;
  const settings = { branch, ...proposedSettings(proposal) };
  const starts = plannedStart === undefined ? {} : { plannedStart: plannedStart.slice(0, 500) };
  const parsed = ProposedService.safeParse(
    storable({ name, type, provider, reason, ...starts, settings, variables }),
  );
  if (parsed.success) return { service: parsed.data };
  const issue = parsed.error.issues[0]!;
  return {
    note: `the app in ${rootDirectory.slice(0, 200)} is left out: its ${issue.path.join(".")} ${issue.message}`,
  };
}
