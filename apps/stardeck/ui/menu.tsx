"use client";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { cx } from "./class-names.ts";

export const menuItemClass =
  "flex w-full cursor-pointer items-center gap-2 rounded px-2 py-1.5 text-left text-[13px] text-ink hover:bg-raised focus-visible:bg-raised disabled:cursor-default disabled:opacity-50";

type MenuProps = {
  label: string;
  trigger: ReactNode;
  children: ReactNode;
  align?: "left" | "right";
  triggerClassName?: string;
};

/** A button that opens a list of actions; arrow keys move, Escape and a click elsewhere close. Items have `role="menuitem"`. */
export function Menu({ label, trigger, children, align = "left", triggerClassName }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const items = () => [
    ...(root.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)') ?? []),
  ];
  useEffect(() => {
    if (!isOpen) return;
    items()[0]?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const move = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      setOpen(false);
      if (event.key === "Escape") root.current?.querySelector<HTMLElement>("button")?.focus();
    } else if (move !== undefined) {
      event.preventDefault();
      all.at(move % all.length)?.focus();
    }
  };
  return (
    <div ref={root} className="relative min-w-0" onKeyDown={onKeyDown}>
      <button
        type="button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className={cx(
          "flex max-w-full min-w-0 cursor-pointer items-center gap-1 rounded-md hover:bg-raised",
          triggerClassName,
        )}
      >
        {trigger}
      </button>
      {isOpen && (
        <div
          role="menu"
          aria-label={label}
          onClick={() => setOpen(false)}
          className={cx(
            "absolute top-full z-30 mt-1 max-h-80 max-w-[80vw] w-max min-w-44 overflow-y-auto rounded-lg border border-line bg-surface p-1 shadow-xl",
            align === "right" ? "right-0" : "left-0",
          )}
        >
          {children}
        </div>
      )}
    </div>
  );
}

export const MenuLine = () => <div role="separator" className="my-1 h-px bg-line" />;
