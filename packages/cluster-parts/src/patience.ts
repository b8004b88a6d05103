import { isKubeError } from "@starform/kubernetes/kube-error";
import { pause } from "@starform/std/retry";

/** The clock that bootstrap and removal wait by. */
export type Patience = {
  now(): number;
  /** Until it is worth looking again. */
  pause(signal?: AbortSignal): Promise<void>;
};

/** Looks once a second. */
export const everySecond: Patience = { now: Date.now, pause: (signal) => pause(1_000, signal) };

const attemptsMax = 30;

/** Repeats a call that the API server could not answer just now; what it refuses is refused at once. */
export async function patiently<T>(
  patience: Patience,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      if (attempt >= attemptsMax || !isPassing(error)) throw error;
      signal?.throwIfAborted();
      await patience.pause(signal);
    }
}

/** A 500 with a reason comes from a webhook or the store; one without says that we sent a field nobody knows. */
const isPassing = (error: unknown): boolean =>
  isKubeError(error, 0, 429, 502, 503, 504) || (isKubeError(error, 500) && error.reason !== undefined);
