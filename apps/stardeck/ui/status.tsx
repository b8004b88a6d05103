import { cx } from "./class-names.ts";

export type Tone = "good" | "busy" | "warn" | "bad" | "still";

const inks: Record<Tone, string> = {
  good: "text-good",
  busy: "text-accent",
  warn: "text-warn",
  bad: "text-bad",
  still: "text-ink-soft",
};

/** A state by colour and by word; work under way breathes. */
export function Status({ tone, word, className }: { tone: Tone; word: string; className?: string }) {
  return (
    <span
      className={cx(
        "inline-flex shrink-0 items-center gap-1.5 text-xs font-medium whitespace-nowrap",
        inks[tone],
        className,
      )}
    >
      <span
        aria-hidden
        className={cx(
          "size-2 rounded-full",
          tone === "still" ? "border border-current" : "bg-current",
          tone === "busy" && "motion-safe:animate-pulse",
        )}
      />
      {word}
    </span>
  );
}

export function Tag({ children, tone = "still" }: { children: string; tone?: Tone }) {
  return (
    <span
      className={cx(
        "inline-flex shrink-0 items-center rounded border border-line bg-raised px-1.5 text-[11px] leading-[18px] font-medium",
        inks[tone],
      )}
    >
      {children}
    </span>
  );
}
