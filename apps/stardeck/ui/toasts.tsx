"use client";
import { useSyncExternalStore } from "react";

type Toast = { id: number; words: string; isBad: boolean };
let toasts: readonly Toast[] = [];
const listeners = new Set<() => void>();
const none: readonly Toast[] = [];
let nextId = 1;

function put(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says in the corner what was done, for a few seconds. */
export function say(words: string, { isBad = false } = {}): void {
  const toast = { id: nextId++, words, isBad };
  put([...toasts.slice(-2), toast]);
  setTimeout(() => put(toasts.filter(({ id }) => id !== toast.id)), isBad ? 9_000 : 4_000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    () => toasts,
    () => none,
  );
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-end gap-2"
    >
      {shown.map(({ id, words, isBad }) => (
        <p
          key={id}
          className={`pointer-events-auto max-w-sm rounded-lg border bg-surface px-3 py-2 text-[13px] shadow-xl ${isBad ? "border-bad/50 text-bad" : "border-line"}`}
        >
          {words}
        </p>
      ))}
    </div>
  );
}
