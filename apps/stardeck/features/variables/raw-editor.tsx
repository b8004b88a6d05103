"use client";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { parseDotenv } from "./dotenv.ts";

type RawEditorProps = { text: string; onApply(entries: ReadonlyMap<string, string>): void; onClose(): void };

/** All variables as one `.env` text; nothing is saved by it yet. */
export function RawEditor({ text, onApply, onClose }: RawEditorProps) {
  const [draft, setDraft] = useState(text);
  const { entries, problems } = parseDotenv(draft);
  return (
    <Dialog title="Variables as .env" onClose={onClose} isWide>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (problems.length === 0) onApply(entries);
        }}
      >
        <textarea
          aria-label="Variables as .env"
          autoFocus
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          spellCheck={false}
          rows={16}
          className="w-full resize-y rounded-md border border-line-strong bg-well p-3 font-mono text-xs leading-5"
          placeholder="NAME=value"
        />
        {problems.length > 0 ? (
          <ul role="alert" className="text-xs text-bad">
            {problems.slice(0, 5).map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        ) : (
          <p className="text-xs text-ink-faint">
            A line that is gone deletes its variable. Secrets stay as they are until you give them a value
            here.
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={problems.length > 0}>
            Take over
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
