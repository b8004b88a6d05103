import { pause } from "@starform/std/retry";

/** What the loops wait by. Tests hand in one that they move, so that a simulated hour of a thousand Shuttles takes seconds. */
export type Time = {
  /** The wall clock, which somebody may set. */
  nowMs(): number;
  /** From any moment on, and never set: for how long something took. */
  elapsedMs(): number;
  /** Resolves after `ms`, or at once when the signal fires. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemTime: Time = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  pause,
};
