"use client";
import { deleteVarGroup, setVarGroup, type VarGroup } from "@starform/contract/variables";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CopyButton } from "../../ui/copy.tsx";
import { LockIcon, TrashIcon } from "../../ui/icons.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { Empty } from "../../ui/states.tsx";
import { say } from "../../ui/toasts.tsx";
import { AddVariable } from "../variables/add-variable.tsx";
import { valueGiven, type Edits } from "../variables/edits.ts";
import { ShortSecretHint } from "../variables/short-secret-hint.tsx";
import { Attachments } from "./attachments.tsx";
import { UnsavedEntries } from "./unsaved-entries.tsx";

/** One var group: its entries, and who gets them. Changes act at once. */
export function VarGroupPanel({ group, place }: { group: VarGroup; place: ProjectPlace }) {
  const [isDeleting, setDeleting] = useState(false);
  const params = { project: place.project, group: group.name };
  /** What was not saved yet, because somebody else changed the group or for another reason. */
  const [edits, setEdits] = useState<Edits>({});
  const set = useChange(setVarGroup, () => {
    setEdits({});
    say("Saved. The services that use the group get it at once.");
  });
  const save = (next: Edits) => {
    setEdits(next);
    set.mutate({ params, body: { variables: { ...next } }, ifMatch: group.checksum });
  };
  const given = set.isSuccess ? set.variables.body.variables : {};
  const remove = useChange(deleteVarGroup, () => setDeleting(false));
  return (
    <TitledPanel
      title={<span className="font-mono">{group.name}</span>}
      actions={
        <Button size="small" look="quiet" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      }
      isFlush
    >
      <AddVariable onAdd={(added) => save({ ...edits, ...Object.fromEntries(added) })} />
      {set.isError && (
        <UnsavedEntries
          edits={edits}
          error={set.error}
          isBusy={set.isPending}
          onSave={() => save(edits)}
          onDiscard={() => (setEdits({}), set.reset())}
        />
      )}
      {group.entries.length === 0 && (
        <Empty title="No entries yet">A name that is given again gets the new value.</Empty>
      )}
      <ul className="divide-y divide-line">
        {group.entries.map(({ name, value, isSecret }) => (
          <li
            key={name}
            className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 px-4 py-1.5 font-mono text-xs sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto]"
          >
            <span className="flex min-w-0 items-center gap-2 break-all">
              {name}
              {isSecret && <LockIcon className="size-3.5 text-ink-faint" />}
            </span>
            <span className="col-span-2 row-start-2 flex min-w-0 flex-wrap items-center gap-x-3 text-ink-soft sm:col-span-1 sm:row-start-auto">
              <span className="min-w-0 [overflow-wrap:anywhere]">{isSecret ? "••••••••" : value}</span>
              {!isSecret && value !== null && <CopyButton text={value} what={`value of ${name}`} />}
              <ShortSecretHint value={valueGiven(given[name])} isSecret={isSecret} />
            </span>
            <button
              type="button"
              aria-label={`Delete ${name}`}
              title={`Delete ${name}`}
              disabled={set.isPending}
              onClick={() => save({ ...edits, [name]: null })}
              className="grid size-7 cursor-pointer place-items-center rounded-md text-ink-soft hover:bg-raised hover:text-ink"
            >
              <TrashIcon />
            </button>
          </li>
        ))}
      </ul>
      <Attachments group={group} place={place} />
      {isDeleting && (
        <Confirm
          title={`Delete ${group.name}`}
          action="Delete"
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params })}
          onClose={() => setDeleting(false)}
        >
          Its entries go with it. A group that a service still uses stays until it is detached there.
        </Confirm>
      )}
    </TitledPanel>
  );
}
