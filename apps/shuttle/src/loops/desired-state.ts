import type { DesiredState } from "@starform/contract/clusters";
import { canonicalJson } from "@starform/std/canonical-json";
import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import { judgeDocument } from "../core/desired-document.ts";
import type { DesiredStore, Starbase } from "../core/ports.ts";
import { keyOf } from "../core/service-key.ts";

export type DesiredView = { readonly state: DesiredState | undefined };
type Deps = {
  readonly starbase: Starbase;
  readonly store: DesiredStore;
  readonly clusterId: string;
  /** Keys whose service changed, came or went; told after the document is stored. */
  readonly changed: (keys: readonly string[]) => void;
  readonly reached: () => void;
  readonly warn: (sentence: string) => void;
};

/** Long polls and their floor: when Starbase does not hold the request, it is asked this often. */
const waitSeconds = 30;
/** A list without any service is believed when it is still so after this time. */
const doubtMs = 10_000;

/** Keeps the desired state as new as Starbase has it, and as it last was while Starbase is away. */
export function desiredStateLoop(deps: Deps, intervalMs: number): DesiredView & AsyncDisposable {
  const ending = new AbortController();
  const kept = deps.store.load();
  let [state, etag] = [kept?.state, kept?.etag];
  if (state && state.cluster_id !== deps.clusterId) [state, etag] = [undefined, undefined];

  let [hasAsked, emptyAnswers, doubtedSinceMs] = [false, 0, undefined as number | undefined];

  /** Whether the document was taken and says something that is not known yet. */
  const take = (document: unknown, newEtag: string | undefined): boolean => {
    const isSaidAgain = doubtedSinceMs !== undefined && performance.now() - doubtedSinceMs >= doubtMs;
    const verdict = judgeDocument(document, state, deps.clusterId, isSaidAgain);
    doubtedSinceMs = verdict.kind === "doubtful" ? (doubtedSinceMs ?? performance.now()) : undefined;
    if (verdict.kind !== "taken") {
      deps.warn(`the desired state was refused, and the last good one stays: ${verdict.reason}`);
      return false;
    }
    keep(verdict.state, newEtag);
    const keys = changedKeys(state, verdict.state);
    const isNews = keys.length > 0 || verdict.state.version !== state?.version;
    [state, etag] = [verdict.state, newEtag];
    deps.changed(keys);
    return isNews;
  };
  /** A full disk must not keep the apps from what was decided; only a restart in this hour would know less. */
  const keep = (next: DesiredState, nextEtag: string | undefined): void => {
    try {
      deps.store.save(next, nextEtag);
    } catch (error) {
      deps.warn(
        `version ${next.version} of the desired state is applied but could not be stored: ${wordsOf(error)}`,
      );
    }
  };
  const ask = async (): Promise<void> => {
    const [beganMs, isFirst] = [performance.now(), !hasAsked];
    const fetched = await deps.starbase.fetchDesired(etag, hasAsked ? waitSeconds : 0, ending.signal);
    hasAsked = true;
    deps.reached();
    const isNews = fetched.kind === "document" && take(fetched.document, fetched.etag);
    // A server that does not hold the request, or sends what is refused or known, must not be asked without end.
    const isEmpty = !isNews && !isFirst && performance.now() - beganMs < 1_000;
    emptyAnswers = isEmpty ? emptyAnswers + 1 : 0;
    if (isEmpty) await pause(Math.min(intervalMs, 100 * 2 ** emptyAnswers), ending.signal);
  };
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      try {
        await ask();
        fails = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (fails++ % 20 === 0)
          deps.warn(
            `Starbase was not asked for the desired state, and the last good one stays: ${wordsOf(error)}`,
          );
        await pause(backoffMs({ firstMs: 250, maxMs: 5_000 }, fails), ending.signal);
      }
    }
  };
  const running = run();
  return {
    get state() {
      return state;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}

/** Keys that are not the same in both; with a first document all of them. */
export function changedKeys(last: DesiredState | undefined, next: DesiredState): string[] {
  const before = new Map(last?.services.map((service) => [keyOf(service), canonicalJson(service)]));
  const after = new Map(next.services.map((service) => [keyOf(service), canonicalJson(service)]));
  const gone = [...before.keys()].filter((key) => !after.has(key));
  return [...[...after.keys()].filter((key) => before.get(key) !== after.get(key)), ...gone];
}
