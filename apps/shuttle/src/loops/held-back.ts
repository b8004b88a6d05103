import { wordsOf } from "@starform/std/fault";
import type { Override } from "../core/overrides.ts";
import type { OverrideStore } from "../core/ports.ts";

export type HeldBack = {
  /** The overrides as they were last read; undefined while they never were. */
  look(): Promise<readonly Override[] | undefined>;
  /** Somebody changed something: the next look reads them. */
  changed(): void;
};

/**
 * What is held back, read at first and when it changed. A read that fails is made again at the next look and changes
 * nothing until then: it would let a version run again that somebody took back.
 */
export function heldBack(overrides: OverrideStore, warn: (sentence: string) => void): HeldBack {
  let known: readonly Override[] | undefined;
  let isDue = true;
  return {
    async look() {
      if (!isDue) return known;
      // Before the read: what changes while it is under way is read by the next look.
      isDue = false;
      try {
        known = await overrides.list();
      } catch (error) {
        isDue = true;
        warn(
          `what is held back could not be read, and ${known ? "what was held before stays so" : "nothing is applied before it is"}: ${wordsOf(error)}`,
        );
      }
      return known;
    },
    changed: () => void (isDue = true),
  };
}
