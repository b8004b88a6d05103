export interface WakeableSleep {
  /** Resolves after `ms` (never, for Infinity), or as soon as `wake` is called. */
  for(ms: number): Promise<void>;
  wake(): void;
}

export function wakeableSleep(): WakeableSleep {
  let wake = (): void => undefined;
  return {
    for: (ms) =>
      new Promise((resolve) => {
        const timer = Number.isFinite(ms) ? setTimeout(() => wake(), Math.max(0, ms)) : undefined;
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    wake: () => wake(),
  };
}
