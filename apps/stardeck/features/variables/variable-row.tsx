"use client";
import { revealVariable, type Variable } from "@starform/contract/variables";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy.tsx";
import { Checkbox, inputClass } from "../../ui/field.tsx";
import { EyeIcon, LockIcon, PencilIcon, TrashIcon } from "../../ui/icons.tsx";
import { ErrorNotice } from "../../ui/states.tsx";
import { Tag } from "../../ui/status.tsx";
import type { Edit } from "./edits.ts";
import { ShortSecretHint } from "./short-secret-hint.tsx";

type VariableRowProps = {
  name: string;
  saved: Variable | undefined;
  edit: Edit | undefined;
  /** What it was given when the page last saved. */
  given: string | undefined;
  place: ServicePlace;
  onEdit(edit: Edit): void;
  onUndo(): void;
};

export function VariableRow({ name, saved, edit, given, place, onEdit, onUndo }: VariableRowProps) {
  const [isEditing, setEditing] = useState(false);
  const isSecret = edit ? edit.isSecret : (saved?.isSecret ?? false);
  const change = edit === null ? "deleted" : edit === undefined ? undefined : saved ? "changed" : "new";
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 gap-y-1 px-4 py-2 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto]">
      <div className="flex min-w-0 items-start gap-2 self-start pt-1.5 font-mono text-xs">
        <span
          className={`min-w-0 break-all ${edit === null ? "text-ink-faint line-through" : "font-medium"}`}
        >
          {name}
        </span>
        {isSecret && (
          <span title="A secret">
            <LockIcon className="size-3.5 text-ink-faint" />
            <span className="sr-only">secret</span>
          </span>
        )}
        {change && <Tag tone={change === "deleted" ? "bad" : "busy"}>{change}</Tag>}
      </div>
      <div className="col-span-2 row-start-2 min-w-0 sm:col-span-1 sm:row-start-auto">
        {isEditing ? (
          <EditForm
            name={name}
            before={{ value: edit?.value ?? saved?.value ?? "", isSecret }}
            onClose={() => setEditing(false)}
            onDone={(next) => {
              onEdit(next);
              setEditing(false);
            }}
          />
        ) : (
          <Value name={name} saved={saved} edit={edit} isSecret={isSecret} place={place} />
        )}
        <ShortSecretHint value={edit === undefined ? given : edit?.value} isSecret={isSecret} />
      </div>
      <div className="flex items-start">
        {change ? (
          <Button size="small" look="quiet" onClick={onUndo}>
            Undo
          </Button>
        ) : null}
        {edit !== null && !isEditing && (
          <IconButton label={`Edit ${name}`} onClick={() => setEditing(true)}>
            <PencilIcon />
          </IconButton>
        )}
        {saved && edit !== null && (
          <IconButton label={`Delete ${name}`} onClick={() => onEdit(null)}>
            <TrashIcon />
          </IconButton>
        )}
      </div>
    </li>
  );
}

const IconButton = ({
  label,
  onClick,
  children,
}: {
  label: string;
  onClick(): void;
  children: React.ReactNode;
}) => (
  <button
    type="button"
    aria-label={label}
    title={label}
    onClick={onClick}
    className="grid size-7 cursor-pointer place-items-center rounded-md text-ink-soft hover:bg-raised hover:text-ink"
  >
    {children}
  </button>
);

type ValueProps = Pick<VariableRowProps, "name" | "saved" | "edit" | "place"> & { isSecret: boolean };

function Value({ name, saved, edit, isSecret, place }: ValueProps) {
  const reveal = useChange(revealVariable);
  const plain = edit?.isSecret === false ? edit.value : isSecret ? reveal.data?.value : saved?.value;
  if (edit === null) return null;
  if (plain === undefined || plain === null)
    return (
      <div>
        <span className="inline-flex h-7 items-center gap-1 font-mono text-xs text-ink-faint">
          ••••••••
          {saved?.isSecret && !edit && (
            <Button
              size="small"
              look="quiet"
              isBusy={reveal.isPending}
              title="Every reveal is written to the audit log"
              onClick={() =>
                reveal.mutate({
                  params: { project: place.project, service: place.service, name },
                  query: { environment: place.environment },
                })
              }
            >
              <EyeIcon className="size-3.5" /> Reveal
            </Button>
          )}
        </span>
        <ErrorNotice error={reveal.error} />
      </div>
    );
  const resolved =
    !edit && saved?.resolved !== null && saved?.resolved !== saved?.value ? saved?.resolved : undefined;
  return (
    <div className="min-w-0 font-mono text-xs">
      <div className="flex min-w-0 items-start">
        <span className="line-clamp-4 min-w-0 py-1.5 leading-4 whitespace-pre-wrap [overflow-wrap:anywhere]">
          {plain || <span className="text-ink-faint">empty</span>}
        </span>
        <CopyButton text={resolved ?? plain} what={`value of ${name}`} />
        {isSecret && reveal.data && (
          <Button size="small" look="quiet" onClick={() => reveal.reset()}>
            Hide
          </Button>
        )}
      </div>
      {resolved !== undefined && (
        <p className="line-clamp-2 text-ink-soft [overflow-wrap:anywhere]">
          <span aria-hidden>→ </span>
          <span className="sr-only">resolves to </span>
          {resolved}
        </p>
      )}
    </div>
  );
}

type EditFormProps = {
  name: string;
  before: { value: string; isSecret: boolean };
  onDone(edit: Edit): void;
  onClose(): void;
};

function EditForm({ name, before, onDone, onClose }: EditFormProps) {
  const [value, setValue] = useState(before.value);
  const [isSecret, setSecret] = useState(before.isSecret);
  return (
    <form
      className="flex flex-col gap-2"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
      onSubmit={(event) => {
        event.preventDefault();
        onDone({ value, isSecret });
      }}
    >
      <textarea
        aria-label={`Value of ${name}`}
        autoFocus
        rows={1}
        value={value}
        placeholder={before.isSecret ? "a new value" : ""}
        onChange={(event) => setValue(event.target.value)}
        spellCheck={false}
        className={`${inputClass} field-sizing-content max-h-60 resize-none py-1.5 font-mono text-xs`}
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Checkbox label="Secret" checked={isSecret} onChange={(event) => setSecret(event.target.checked)} />
        <span className="flex gap-2">
          <Button size="small" onClick={onClose}>
            Cancel
          </Button>
          <Button size="small" type="submit" look="primary">
            Done
          </Button>
        </span>
      </div>
    </form>
  );
}
