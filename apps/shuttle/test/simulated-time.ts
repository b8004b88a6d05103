import type { Time } from "../src/core/time.ts";

type Sleeper = { readonly atMs: number; readonly wake: () => void };

/**
 * A time that stands still until it is moved; whoever is due on the way goes as far as it can before the next one wakes.
 * Waits end on the grain at the latest, so that many of them end together.
 */
export function simulatedTime(startMs: number, grainMs = 1) {
  let nowMs = startMs;
  /** A binary heap, the soonest first: a simulated day of many Shuttles has millions of waits. */
  const heap: Sleeper[] = [];
  const at = (index: number): number => heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number): void => void ([heap[a], heap[b]] = [heap[b]!, heap[a]!]);
  const push = (sleeper: Sleeper): void => {
    heap.push(sleeper);
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (at(parent) <= at(child)) return;
      swap(parent, child);
      child = parent;
    }
  };
  const pop = (): Sleeper => {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) heap[0] = last;
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = at(right) < at(left) ? right : left;
      if (at(parent) <= at(child)) return first;
      swap(parent, child);
      parent = child;
    }
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  const time: Time = {
    nowMs: () => nowMs,
    elapsedMs: () => nowMs,
    pause(ms, signal) {
      if (signal?.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => {
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      signal?.addEventListener("abort", wake);
      push({ atMs: Math.ceil((nowMs + Math.max(0, ms)) / grainMs) * grainMs, wake });
      return promise;
    },
  };
  return {
    time,
    get nowMs() {
      return nowMs;
    },
    settled,
    async moveTo(ms: number): Promise<void> {
      await settled();
      while (at(0) <= ms) {
        nowMs = Math.max(nowMs, at(0));
        while (at(0) <= nowMs) pop().wake();
        await settled();
      }
      nowMs = Math.max(nowMs, ms);
    },
  };
}

/** A random number generator that a seed makes repeatable. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
