"use client";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/states.tsx";
import type { Edits } from "./edits.ts";

type SaveBarProps = {
  edits: Edits;
  isRunning: boolean;
  isBusy: boolean;
  error: unknown;
  onSave(deploy: boolean): void;
  onDiscard(): void;
};

/** The changes that are not saved yet, and whether they are to act at once. */
export function SaveBar({ edits, isRunning, isBusy, error, onSave, onDiscard }: SaveBarProps) {
  const [deploys, setDeploys] = useState(true);
  const changes = Object.keys(edits).length;
  if (changes === 0) return null;
  return (
    <div
      role="region"
      aria-label="Unsaved changes"
      className="sticky bottom-3 z-10 flex flex-col gap-2 rounded-lg border border-accent/50 bg-surface p-3 shadow-xl"
    >
      <ErrorNotice error={error} />
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <span className="font-medium">{count(changes, "change")}</span>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          {isRunning ? (
            <Checkbox
              label="Deploy at once"
              checked={deploys}
              onChange={(event) => setDeploys(event.target.checked)}
            />
          ) : (
            <span className="text-xs text-ink-soft">The first deployment gets them.</span>
          )}
          <span className="flex gap-2">
            <Button onClick={onDiscard}>Discard</Button>
            <Button look="primary" isBusy={isBusy} onClick={() => onSave(deploys)}>
              {isRunning && deploys ? "Save and deploy" : "Save"}
            </Button>
          </span>
        </div>
      </div>
    </div>
  );
}
