import { wordsOf } from "@starform/std/fault";
import { overrideName, type KeptOverrides } from "../core/overrides.ts";
import type { OverrideStore } from "../core/ports.ts";

export type HeldBack = {
  /** The overrides as they were last read; undefined while they never were. */
  look(): Promise<KeptOverrides | undefined>;
  /** Somebody changed something: the next look reads them. */
  changed(): void;
};

/**
 * What is held back, read at first and when it changed. A read that fails is made again at the next look and changes
 * nothing until then, and one of which an override came back spoiled does not change that one: it would let a version
 * run again that somebody took back.
 */
export function heldBack(overrides: OverrideStore, warn: (sentence: string) => void): HeldBack {
  let known: KeptOverrides | undefined;
  let isDue = true;
  /** An override that was read before stays as it was. */
  const mended = ({ overrides: read, spoiled }: KeptOverrides): KeptOverrides => {
    const before = new Map(known?.overrides.map((override) => [overrideName(override.key), override]));
    return {
      overrides: [...read, ...spoiled.flatMap((name) => before.get(name) ?? [])],
      spoiled: spoiled.filter((name) => !before.has(name)),
    };
  };
  return {
    async look() {
      if (!isDue) return known;
      // Before the read: what changes while it is under way is read by the next look.
      isDue = false;
      try {
        const read = await overrides.list();
        if (read.spoiled.length > 0)
          warn(
            `${read.spoiled.length} of what is kept of \`shuttle rollback\` cannot be read: the services concerned stay as they are until \`shuttle rollback\` or \`shuttle resume\` of each; \`shuttle status\` names them`,
          );
        known = mended(read);
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
