"use client";
import { useState, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { TextField } from "./field.tsx";
import { ErrorNotice } from "./states.tsx";

type ConfirmProps = {
  title: string;
  children: ReactNode;
  /** The word on the button. */
  action: string;
  /** What has to be typed first, where there is no way back. */
  typed?: string;
  isDangerous?: boolean;
  isBusy: boolean;
  error: unknown;
  onConfirm(): void;
  onClose(): void;
};

/** Asks before something that cannot be taken back, or that a whole team feels. */
export function Confirm({
  title,
  children,
  action,
  typed,
  isDangerous = false,
  isBusy,
  error,
  onConfirm,
  onClose,
}: ConfirmProps) {
  const [said, setSaid] = useState("");
  const isAllowed = typed === undefined || said === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isAllowed) onConfirm();
        }}
      >
        <div className="text-[13px] break-words text-ink-soft">{children}</div>
        {typed !== undefined && (
          <TextField
            label={
              <>
                Type <span className="font-mono text-ink">{typed}</span> to confirm
              </>
            }
            value={said}
            onChange={(event) => setSaid(event.target.value)}
            autoFocus
          />
        )}
        <ErrorNotice error={error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button
            type="submit"
            look={isDangerous ? "danger" : "primary"}
            isBusy={isBusy}
            disabled={!isAllowed}
          >
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
