import { setTimeout as delay } from "node:timers/promises";

export type Backoff = { readonly firstMs: number; readonly maxMs: number; readonly factor?: number };

/** The wait before attempt `attempt` (1 is the first repeat): exponential, capped, with ±25 % jitter. */
export function backoffMs(
  { firstMs, maxMs, factor = 2 }: Backoff,
  attempt: number,
  random = Math.random,
): number {
  const base = Math.min(maxMs, firstMs * factor ** (attempt - 1));
  return base * (0.75 + random() * 0.5);
}

/** Resolves after `ms`, or at once when the signal fires: the caller looks at the signal, nothing is thrown. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  delay(ms, undefined, signal ? { signal } : {}).then(
    () => undefined,
    () => undefined,
  );

type Falsy = undefined | null | false | 0 | "";

/** Repeats `look` every `everyMs` until it answers something truthy; rejects with `what` after `withinMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  { withinMs = 15_000, everyMs = 50 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      last = undefined;
      const seen = await look();
      if (seen) return seen as Exclude<T, Falsy>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain for: ${what}`, { cause: last });
    await pause(everyMs);
  }
}
