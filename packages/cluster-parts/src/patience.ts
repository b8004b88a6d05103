import type { KubeApi } from "@starform/kubernetes/kube-api";
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

/**
 * The same calls, each repeated while the API server cannot answer just now; what it refuses is refused at once. All of
 * them may be made twice: an apply, a deletion by uid, a review. A watch and a log are not repeated.
 */
export function patientKube(kube: KubeApi, patience: Patience): KubeApi {
  const again = async <T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await work();
      } catch (error) {
        if (attempt >= attemptsMax || !isPassing(error)) throw error;
        signal?.throwIfAborted();
        await patience.pause(signal);
      }
  };
  return {
    version: (signal) => again(() => kube.version(signal), signal),
    serves: (kind, signal) => again(() => kube.serves(kind, signal), signal),
    apply: (object, options, signal) => again(() => kube.apply(object, options, signal), signal),
    create: (object, signal) => again(() => kube.create(object, signal), signal),
    patch: (ref, change, signal) => again(() => kube.patch(ref, change, signal), signal),
    get: (ref, signal) => again(() => kube.get(ref, signal), signal),
    list: (kind, selection, signal) => again(() => kube.list(kind, selection, signal), signal),
    delete: (ref, signal) => again(() => kube.delete(ref, signal), signal),
    watch: (kind, selection, signal) => kube.watch(kind, selection, signal),
    podLog: (ref, signal) => kube.podLog(ref, signal),
    [Symbol.asyncDispose]: () => kube[Symbol.asyncDispose](),
  };
}

/** A 500 with a reason comes from a webhook or the store; one without says that we sent a field nobody knows. */
const isPassing = (error: unknown): boolean =>
  isKubeError(error, 0, 429, 502, 503, 504) || (isKubeError(error, 500) && error.reason !== undefined);
