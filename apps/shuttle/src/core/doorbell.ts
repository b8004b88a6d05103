import { systemTime, type Time } from "./time.ts";

/** Waits that something else can end: a ring before the wait counts as well. */
export function doorbell(time: Time = systemTime) {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring(): void {
      hasRung = true;
      wake?.();
    },
    /** True as soon as it rang since the last wait; false after the time. */
    async rings(withinMs: number): Promise<boolean> {
      if (!hasRung) {
        const rung = new AbortController();
        wake = () => rung.abort();
        await time.pause(Math.min(withinMs, 2 ** 31 - 1), rung.signal);
        wake = undefined;
      }
      const seen = hasRung;
      hasRung = false;
      return seen;
    },
  };
}
