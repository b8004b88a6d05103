/** Waits that something else can end: a ring before the wait counts as well. */
export function doorbell() {
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
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, Math.min(withinMs, 2 ** 31 - 1));
        wake = resolve;
        await promise;
        clearTimeout(timer);
        wake = undefined;
      }
      const seen = hasRung;
      hasRung = false;
      return seen;
    },
  };
}
