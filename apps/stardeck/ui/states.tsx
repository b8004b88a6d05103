import { wordsOf } from "@starform/std/fault";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { cx } from "./class-names.ts";

/** Grey bars in the place of what is on its way, of its height, so that nothing jumps. */
export function Skeleton({ rows = 3, rowClassName = "h-11" }: { rows?: number; rowClassName?: string }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={cx("flex items-center px-4", rowClassName)}>
          <div
            className="h-3 rounded bg-raised motion-safe:animate-pulse"
            style={{ width: `${60 - ((row * 17) % 35)}%` }}
          />
        </div>
      ))}
    </div>
  );
}

export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-md text-[13px] text-ink-soft">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** The sentence of a problem, as the API says it; with a way to try again where that may help. */
export function ErrorNotice({
  error,
  onRetry,
  className,
}: {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}) {
  if (!error) return null;
  return (
    <div
      role="alert"
      className={cx(
        "flex items-center justify-between gap-3 rounded-md border border-bad/40 bg-bad/5 px-3 py-2 text-[13px]",
        className,
      )}
    >
      <p className="min-w-0 break-words text-bad">{sentence(error)}</p>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** The words of an error, begun with a capital letter unless they begin with a name such as `web.PORT`. */
export function sentence(error: unknown): string {
  const words = wordsOf(error);
  return /^[a-z]+[ ,]/.test(words) ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}
