"use client";
import { VariableName } from "@starform/contract/names";
import { useRef, useState, type ClipboardEvent } from "react";
import { Button } from "../../ui/button.tsx";
import { Checkbox, inputClass } from "../../ui/field.tsx";
import { say } from "../../ui/toasts.tsx";
import { parseDotenv } from "./dotenv.ts";
import type { Edit } from "./edits.ts";

/** One more variable; a pasted `.env` becomes all of its lines. */
export function AddVariable({ onAdd }: { onAdd(added: ReadonlyMap<string, Edit>): void }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [isSecret, setSecret] = useState(false);
  const nameBox = useRef<HTMLInputElement>(null);
  const isWrong = name !== "" && !VariableName.safeParse(name).success;
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData("text");
    if (!text.includes("=")) return;
    event.preventDefault();
    const { entries, problems } = parseDotenv(text);
    if (problems.length > 0) say(problems[0]!, { isBad: true });
    onAdd(new Map([...entries].map(([name, value]) => [name, { value, isSecret }])));
  };
  return (
    <form
      className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 border-b border-line bg-raised/40 p-3 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        if (!name || isWrong) return;
        onAdd(new Map([[name, { value, isSecret }]]));
        setName("");
        setValue("");
        setSecret(false);
        nameBox.current?.focus();
      }}
    >
      <div className="col-span-2 sm:col-span-1">
        <input
          ref={nameBox}
          aria-label="Name of the new variable"
          aria-invalid={isWrong || undefined}
          placeholder="NAME"
          value={name}
          onChange={(event) => setName(event.target.value)}
          onPaste={paste}
          autoComplete="off"
          spellCheck={false}
          className={`${inputClass} font-mono text-xs`}
        />
        {isWrong && (
          <p className="mt-1 text-xs text-bad">Letters, digits and underscores, not beginning with a digit</p>
        )}
      </div>
      <textarea
        aria-label="Value of the new variable"
        placeholder="value"
        rows={1}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        autoComplete="off"
        spellCheck={false}
        className={`${inputClass} col-span-2 field-sizing-content max-h-40 resize-none py-1.5 font-mono text-xs sm:col-span-1`}
      />
      <span className="flex h-8 items-center">
        <Checkbox label="Secret" checked={isSecret} onChange={(event) => setSecret(event.target.checked)} />
      </span>
      <Button type="submit" disabled={!name || isWrong}>
        Add
      </Button>
    </form>
  );
}
