"use client";
import type { Proposal } from "@starform/contract/proposals";
import { listServices } from "@starform/contract/services";
import { useState } from "react";
import { useList } from "../../api/queries.ts";
import { useCreateProposed, type Created } from "../../api/use-create-proposed.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { count, shortSha } from "../../ui/format.ts";
import { ErrorNotice, sentence, Skeleton } from "../../ui/states.tsx";
import { say } from "../../ui/toasts.tsx";
import { draftsOf, problemOf, serviceOf, type DraftService } from "./proposal-draft.ts";
import { ProposedRow } from "./proposed-row.tsx";

type ProposedServicesProps = {
  place: ProjectPlace;
  proposal: Proposal;
  onCreated(names: readonly string[]): void;
};

/** What a repository holds, to be chosen from; one click makes and deploys it. */
export function ProposedServices(props: ProposedServicesProps) {
  const { project, environment } = props.place;
  const services = useList(listServices, { params: { project }, query: { environment } });
  if (services.error) return <ErrorNotice error={services.error} className="m-4" />;
  if (!services.data) return <Skeleton rows={2} rowClassName="h-24" />;
  return <Choice {...props} existing={services.data.map(({ name }) => name)} />;
}

function Choice({ place, proposal, onCreated, existing }: ProposedServicesProps & { existing: string[] }) {
  // Before the first click: what it makes is there and meant.
  const [taken] = useState<ReadonlySet<string>>(() => new Set(existing));
  const [drafts, setDrafts] = useState(() => draftsOf(proposal, taken));
  const chosen = drafts.filter(({ isChosen }) => isChosen);
  const create = useCreateProposed(place, (created) => {
    tell(created);
    onCreated(chosen.map(({ name }) => name));
  });
  const isBusy = create.isPending || create.isSuccess;
  const isWrong = drafts.some((draft) => problemOf(draft, drafts, taken));
  const change = (at: number, changed: Partial<DraftService>) =>
    setDrafts(drafts.map((draft, index) => (index === at ? { ...draft, ...changed } : draft)));
  const chooseAll = (isChosen: boolean) =>
    setDrafts(
      drafts.map((draft) => ({
        ...draft,
        isChosen: create.made.has(draft.name) || (isChosen && !taken.has(draft.name)),
      })),
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen.length > 0 && !isWrong) create.mutate(chosen.map((draft) => serviceOf(draft, proposal)));
      }}
    >
      <header className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line bg-raised/40 px-4 py-2">
        <div className="min-w-0">
          <h2 className="text-[13px] font-semibold">{count(drafts.length, "service")} found</h2>
          <p className="truncate text-xs text-ink-soft">{whatWasSeen(proposal)}</p>
        </div>
        {drafts.length > 1 && (
          <div className="flex gap-1">
            <Button size="small" look="quiet" disabled={isBusy} onClick={() => chooseAll(true)}>
              Choose all
            </Button>
            <Button size="small" look="quiet" disabled={isBusy} onClick={() => chooseAll(false)}>
              None
            </Button>
          </div>
        )}
      </header>
      {proposal.notes.map((note) => (
        <p key={note} className="border-b border-line bg-warn/5 px-4 py-2 text-xs break-words text-warn">
          {sentence(new Error(note))}
        </p>
      ))}
      <ul className="divide-y divide-line">
        {drafts.map((draft, at) => (
          <ProposedRow
            key={draft.proposed.name}
            draft={draft}
            problem={problemOf(draft, drafts, taken)}
            isMade={create.made.has(draft.name)}
            isTaken={taken.has(draft.name)}
            isLocked={isBusy}
            onChange={(changed) => change(at, changed)}
          />
        ))}
      </ul>
      <footer className="sticky bottom-0 flex flex-col gap-3 rounded-b-lg border-t border-line bg-surface px-4 py-3">
        <ErrorNotice error={create.error} />
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <p className="text-xs text-ink-soft">
            {chosen.length === 0
              ? "Nothing is chosen."
              : `First builds start at once, in ${place.environment}.`}
          </p>
          <Button
            type="submit"
            look="primary"
            className="ml-auto"
            isBusy={isBusy}
            disabled={chosen.length === 0 || isWrong}
          >
            {chosen.length === 1 ? "Create service" : `Create ${count(chosen.length, "service")}`}
          </Button>
        </div>
      </footer>
    </form>
  );
}

const whatWasSeen = ({ branch, commit }: Proposal): string =>
  [branch ?? "default branch", commit && `${shortSha(commit.sha)} ${commit.message.split("\n", 1)[0]}`]
    .filter(Boolean)
    .join(" · ");

/** What did not come about of it, which leaves the services as they are. */
function tell({ unset, undeployed }: Created): void {
  for (const { service, names, because } of unset)
    say(`${names.join(", ")} of ${service} not set: ${because}. Set it under Variables.`, { isBad: true });
  for (const { service, because } of undeployed)
    say(`${service} is there, but its deployment did not begin: ${because}`, { isBad: true });
}
