import type { Clock } from "@starform/testkit/kubernetes/clock";

/** A clock that runs `speed` times as fast as the machine's: a pod that drains for ten seconds keeps no test waiting. */
export function fastClock(speed: number): Clock {
  const startedMs = Date.now();
  return {
    now: () => new Date(startedMs + (Date.now() - startedMs) * speed),
    after(ms, work) {
      const timer = setTimeout(work, Math.max(0, ms) / speed);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
