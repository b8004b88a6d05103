"use client";
import { createProposal, getProposal, proposalHours, type Proposal } from "@starform/contract/proposals";
import { isFault } from "@starform/std/fault";
import { useState } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Empty, ErrorNotice, sentence } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { Took } from "../../ui/time.tsx";
import { ByHand } from "./by-hand.tsx";
import { useProposalInAddress } from "./proposal-in-address.ts";
import { ProposedServices } from "./proposed-services.tsx";

type OutcomeProps = { place: ProjectPlace; onCreated(names: readonly string[]): void };
type FromGitProps = OutcomeProps & { onLook: (() => void) | undefined };

/** A repository by its address: it is looked into, and what it holds is made as the person chooses. */
export function FromGit({ place, onCreated, onLook }: FromGitProps) {
  const [typed, setTyped] = useState<{ readonly url: string; readonly branch: string }>();
  const [isByHand, setByHand] = useState(false);
  const ask = useChange(createProposal);
  const { id, keep } = useProposalInAddress();
  const seen = useRoute(
    getProposal,
    { params: { project: place.project, proposal: id ?? "" } },
    { isEnabled: id !== undefined },
  );
  const proposal = seen.data ?? (ask.data?.id === id ? ask.data : undefined);
  const url = typed?.url ?? (proposal?.source.kind === "git" ? proposal.source.url : "");
  const branch = typed?.branch ?? proposal?.branch ?? "";
  const isUnderWay = proposal?.status === "queued" || proposal?.status === "running";
  const look = () => {
    if (!url.trim() || isUnderWay) return;
    onLook?.();
    const named = branch.trim() ? { branch: branch.trim() } : {};
    setTyped({ url, branch });
    ask.mutate(
      { params: { project: place.project }, body: { url: url.trim(), ...named } },
      { onSuccess: (made) => keep(made.id) },
    );
  };
  const address = (
    <div className="grid gap-4 sm:grid-cols-[1fr_10rem]">
      <TextField
        label="Repository URL"
        value={url}
        onChange={(event) => setTyped({ branch, url: event.target.value })}
        placeholder="https://github.com/you/app.git"
        autoFocus
        isMono
      />
      <TextField
        label="Branch"
        value={branch}
        onChange={(event) => setTyped({ url, branch: event.target.value })}
        placeholder={isByHand ? "main" : "its default"}
        isMono
      />
    </div>
  );
  if (isByHand)
    return (
      <ByHand
        place={place}
        source={{ kind: "git", url: url.trim() }}
        branch={branch.trim() || "main"}
        proposedName=""
        onCreated={({ name }) => onCreated([name])}
      >
        {address}
        <p className="text-xs text-ink-faint">
          Its first build starts at once.{" "}
          <button
            type="button"
            onClick={() => setByHand(false)}
            className="cursor-pointer font-medium text-ink-soft underline hover:text-ink"
          >
            Look for services instead
          </button>
        </p>
      </ByHand>
    );
  return (
    <>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          look();
        }}
      >
        {address}
        <p className="text-xs text-ink-faint">
          A private one? The project signs in to its host:{" "}
          <code className="font-mono break-words">starform git login {hostOf(url) ?? "github.com"}</code>
        </p>
        <div className="flex flex-wrap justify-end gap-2">
          <Button look="quiet" onClick={() => setByHand(true)}>
            Set up by hand
          </Button>
          <Button
            type="submit"
            look={proposal?.status === "ready" ? "plain" : "primary"}
            isBusy={ask.isPending || isUnderWay}
            disabled={!url.trim()}
          >
            {proposal && !isUnderWay ? "Look again" : "Look for services"}
          </Button>
        </div>
      </form>
      <ErrorNotice error={ask.error ?? (isFault(seen.error, "not_found") ? forgotten : seen.error)} />
      {proposal && !ask.isPending && (
        <div className="-mx-4 -mb-4 border-t border-line">
          <Outcome key={proposal.id} place={place} proposal={proposal} onCreated={onCreated} />
        </div>
      )}
    </>
  );
}

const forgotten = new Error(
  `what was found in a repository is kept for ${proposalHours} hours, and this is older: look for services again`,
);

const hostOf = (url: string): string | undefined => URL.parse(url.trim())?.host || undefined;

function Outcome({ place, proposal, onCreated }: OutcomeProps & { proposal: Proposal }) {
  if (proposal.status === "ready")
    return <ProposedServices place={place} proposal={proposal} onCreated={onCreated} />;
  if (proposal.status === "failed")
    return proposal.hint === null ? (
      <div className="p-4">
        <ErrorNotice error={new Error(proposal.reason ?? "looking into the repository failed")} />
      </div>
    ) : (
      <Empty title={sentence(new Error(proposal.reason ?? ""))}>
        <p className="text-ink">{proposal.hint}</p>
        <p className="mt-2">Push that to the repository and look again, or set the service up by hand.</p>
      </Empty>
    );
  return (
    <div role="status" className="flex flex-col items-center gap-1.5 px-4 py-10 text-center">
      <Status tone="busy" word={proposal.status === "queued" ? "In line" : "Looking into the repository"} />
      <p className="text-xs text-ink-soft">
        It is fetched and read, nothing of it is run: seconds, for a large one a minute or two.
      </p>
      <p className="text-xs text-ink-faint tabular-nums">
        <Took from={proposal.createdAt} to={null} />
      </p>
    </div>
  );
}
