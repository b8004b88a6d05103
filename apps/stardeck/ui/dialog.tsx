"use client";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { CloseIcon } from "./icons.tsx";

type DialogProps = { title: string; onClose(): void; children: ReactNode; isWide?: boolean };

/** A modal dialog of the browser's own: it holds the focus, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, children, isWide = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === ref.current && onClose()}
      className={`m-auto max-h-[85dvh] w-[calc(100vw-2rem)] overflow-hidden rounded-xl border border-line bg-surface p-0 text-ink shadow-2xl backdrop:bg-black/40 ${isWide ? "max-w-3xl" : "max-w-md"}`}
    >
      <div className="flex max-h-[85dvh] flex-col">
        <header className="flex items-center justify-between border-b border-line py-2 pr-2 pl-4">
          <h2 id={titleId} className="truncate text-sm font-semibold">
            {title}
          </h2>
          <button
            type="button"
            aria-label="Close"
            onClick={onClose}
            className="grid size-8 shrink-0 cursor-pointer place-items-center rounded-md text-ink-soft hover:bg-raised hover:text-ink"
          >
            <CloseIcon />
          </button>
        </header>
        <div className="overflow-y-auto p-4">{children}</div>
      </div>
    </dialog>
  );
}
