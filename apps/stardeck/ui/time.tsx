"use client";
import { useSyncExternalStore } from "react";
import { sayDuration, sayExactly, sayRunning, sayWhen } from "./format.ts";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all that is shown, once a second while something shows a time. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export const useNow = (): number =>
  useSyncExternalStore(
    subscribe,
    () => now,
    () => now,
  );

/** How long ago, the exact moment on hover. */
export function When({ at }: { at: string }) {
  const current = useNow();
  return (
    <time dateTime={at} title={sayExactly(at)} className="whitespace-nowrap" suppressHydrationWarning>
      {sayWhen(at, Math.max(current, Date.now()))}
    </time>
  );
}

/** How long something has taken, counting on while it has not ended. */
export function Took({ from, to }: { from: string; to: string | null }) {
  const current = useNow();
  const end = to ? Date.parse(to) : Math.max(current, Date.now());
  return (
    <span className="whitespace-nowrap tabular-nums" suppressHydrationWarning>
      {to ? sayDuration(end - Date.parse(from)) : sayRunning(end - Date.parse(from))}
    </span>
  );
}
