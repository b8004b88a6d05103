"use client";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/states.tsx";
import type { Edits } from "../variables/edits.ts";

type UnsavedEntriesProps = {
  edits: Edits;
  error: unknown;
  isBusy: boolean;
  onSave(): void;
  onDiscard(): void;
};

/** What could not be saved, and why: kept, to be saved over what is there by now. */
export function UnsavedEntries({ edits, error, isBusy, onSave, onDiscard }: UnsavedEntriesProps) {
  return (
    <div
      role="region"
      aria-label="Unsaved entries"
      className="m-3 flex flex-col gap-2 rounded-lg border border-accent/50 bg-surface p-3"
    >
      <ErrorNotice error={error} />
      <ul className="font-mono text-xs">
        {Object.entries(edits).map(([name, edit]) => (
          <li key={name} className="[overflow-wrap:anywhere]">
            {edit ? `${name}=${edit.isSecret ? "••••••••" : edit.value}` : `delete ${name}`}
          </li>
        ))}
      </ul>
      <span className="flex justify-end gap-2">
        <Button onClick={onDiscard}>Discard</Button>
        <Button look="primary" isBusy={isBusy} onClick={onSave}>
          Save again
        </Button>
      </span>
    </div>
  );
}
