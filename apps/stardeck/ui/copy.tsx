"use client";
import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** Puts a text on the clipboard and says that it did. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <button
      type="button"
      aria-label={isCopied ? `${what} copied` : `Copy ${what}`}
      title={isCopied ? "Copied" : "Copy"}
      onClick={() =>
        void navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => undefined,
        )
      }
      className="grid size-7 shrink-0 cursor-pointer place-items-center rounded-md text-ink-soft hover:bg-raised hover:text-ink"
    >
      {isCopied ? <CheckIcon className="size-4 text-good" /> : <CopyIcon />}
    </button>
  );
}

/** A command to type, or another text to take along. */
export function CommandLine({
  text,
  what,
  isShell = true,
}: {
  text: string;
  what: string;
  isShell?: boolean;
}) {
  return (
    <div className="flex min-w-0 items-center gap-1 rounded-md border border-line bg-raised pr-1 pl-3">
      {isShell && (
        <span aria-hidden className="font-mono text-xs text-ink-faint select-none">
          $
        </span>
      )}
      <code className="min-w-0 flex-1 overflow-x-auto px-1 py-2 font-mono text-xs whitespace-pre [scrollbar-width:none]">
        {text}
      </code>
      <CopyButton text={text} what={what} />
    </div>
  );
}
