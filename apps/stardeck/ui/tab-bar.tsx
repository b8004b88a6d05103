import type { ReactNode } from "react";
import { cx } from "./class-names.ts";

/** The look of one link in a row of tabs. */
export const tabClass = (isCurrent: boolean): string =>
  cx(
    "-mb-px inline-flex h-9 shrink-0 items-center border-b-2 px-1.5 text-[13px] sm:px-2.5 font-medium",
    isCurrent ? "border-accent text-ink" : "border-transparent text-ink-soft hover:text-ink",
  );

/** A row of tabs that scrolls sideways where it is too long. */
export function TabBar({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav
      aria-label={label}
      className="flex gap-1 overflow-x-auto border-b border-line [scrollbar-width:none]"
    >
      {children}
    </nav>
  );
}

type SegmentedProps<T extends string> = {
  label: string;
  value: T;
  options: readonly (readonly [NoInfer<T>, string])[];
  onChange: (value: T) => void;
};

/** A few choices of which one holds. */
export function Segmented<const T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  return (
    <div
      role="group"
      aria-label={label}
      className="inline-flex max-w-full overflow-x-auto rounded-md border border-line bg-raised p-0.5"
    >
      {options.map(([option, word]) => (
        <button
          key={option}
          type="button"
          aria-pressed={option === value}
          onClick={() => onChange(option)}
          className={cx(
            "h-6 cursor-pointer rounded px-2 text-xs font-medium whitespace-nowrap",
            option === value ? "bg-surface text-ink shadow-sm" : "text-ink-soft hover:text-ink",
          )}
        >
          {word}
        </button>
      ))}
    </div>
  );
}
