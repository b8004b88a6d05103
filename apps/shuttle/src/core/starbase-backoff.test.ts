import fc from "fast-check";
import { expect, test } from "vitest";
import { starbaseBackoffMs } from "./starbase-backoff.ts";

const shuttles = 1_000;

/** When each of a thousand Shuttles, all cut off at 0, gets through to a Starbase that is back at `backMs`. */
function returns(backMs: number, seed: number): number[] {
  let state = seed >>> 0 || 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: shuttles }, () => {
    let atMs = 0;
    for (let fails = 1; ; fails++) {
      atMs += starbaseBackoffMs(fails, { random });
      if (atMs >= backMs) return atMs;
    }
  });
}

test("a thousand Shuttles that lost Starbase together come back spread out, and all within ten seconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 600_000 }), fc.integer(), (backMs, seed) => {
      const at = returns(backMs, seed);
      expect(Math.max(...at) - backMs).toBeLessThanOrEqual(10_000);
      const windows = new Map<number, number>();
      for (const ms of at) windows.set(Math.floor(ms / 100), (windows.get(Math.floor(ms / 100)) ?? 0) + 1);
      expect(Math.max(...windows.values())).toBeLessThanOrEqual(shuttles * 0.15);
    }),
    { numRuns: 50 },
  );
});

test("nobody is asked again at once, nor later than the bound", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (fails, at) => {
        const ms = starbaseBackoffMs(fails, { random: () => at });
        expect(ms).toBeGreaterThanOrEqual(50);
        expect(ms).toBeLessThanOrEqual(10_000);
      },
    ),
  );
});
