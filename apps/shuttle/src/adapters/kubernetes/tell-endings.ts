import type { DesiredService } from "@starform/contract/clusters";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { partsOf, type ServiceKey } from "../../core/service-key.ts";
import type { Warn } from "../../core/warn.ts";
import type { LogSink } from "../log-sink.ts";
import type { ToldEndingsStore } from "./kept/told-endings.ts";
import { endingWords, runsEnded } from "./observe/ending-words.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import type { PodView } from "./view/pod-view.ts";

type Deps = {
  readonly view: ClusterView;
  /** As it was wanted last; undefined while that is not known. */
  readonly serviceOf: (key: ServiceKey) => DesiredService | undefined;
  readonly sink: LogSink;
  readonly store: ToldEndingsStore;
  readonly warn: Warn;
};

/** What is told together is written down together; and again after this where that failed. */
const [saveAfterMs, againAfterMs] = [1_000, 10_000];

/**
 * Tells the log of an app how its runs ended, where that was not as it should be: once for each, whatever becomes of
 * Shuttle, for which ends were told is written down. One that dies before it could write may tell its last second again.
 */
export function tellEndings({ view, serviceOf, sink, store, warn }: Deps) {
  const closing = new AbortController();
  let told: Map<string, number> | undefined;
  /** What is wanted no more may still have pods that end. */
  const known = new Map<ServiceKey, DesiredService>();
  let isDirty = false;
  let saving: Promise<void> | undefined;

  const ship = (pod: PodView, message: string): void => {
    const endedAtMs = pod.ending?.endedAtMs ?? Date.now();
    sink.ship({
      workspaceId: pod.workspaceId,
      ...partsOf(pod.key),
      ...(pod.deploymentId ? { deploymentId: pod.deploymentId } : {}),
      instanceId: pod.name,
      // The kubelet tells whole seconds: the line stands below what was said in the last one.
      tsMs: endedAtMs + 999,
      seq: runsEnded(pod),
      stream: "system",
      level: "warn",
      message,
    });
  };
  const save = async (): Promise<void> => {
    for (let waitMs = saveAfterMs; isDirty;) {
      await pause(waitMs, closing.signal);
      isDirty = false;
      try {
        await sink.flush();
        await store.save(present());
        waitMs = saveAfterMs;
      } catch (error) {
        warn(`which ends of pods their logs were told of could not be written down: ${wordsOf(error)}`);
        if (closing.signal.aborted) return;
        [isDirty, waitMs] = [true, againAfterMs];
      }
    }
  };
  /** Without pods that are gone. */
  const present = (): ReadonlyMap<string, number> => {
    if (view.isSynced) {
      const uids = new Set([...view.pods()].map(({ uid }) => uid));
      for (const uid of told!.keys()) if (!uids.has(uid)) told!.delete(uid);
    }
    return told!;
  };
  const look = (key: ServiceKey): void => {
    const place = view.place(key);
    const service = serviceOf(key) ?? known.get(key);
    if (place && service) known.set(key, service);
    else known.delete(key);
    if (!told || !place || !service) return;
    for (const pod of place.pods.values()) {
      const run = runsEnded(pod);
      if (run <= (told.get(pod.uid) ?? 0)) continue;
      told.set(pod.uid, run);
      isDirty = true;
      const message = endingWords(pod, service, view.eventsOf(pod.uid));
      if (message) ship(pod, message);
    }
    if (isDirty) saving ??= save().finally(() => (saving = undefined));
  };
  const recall = async (): Promise<void> => {
    for (let waitMs = saveAfterMs; !told && !closing.signal.aborted; waitMs = againAfterMs)
      try {
        told = new Map(await store.load());
      } catch (error) {
        warn(
          `which ends of pods their logs were told of could not be read, and is read again: ${wordsOf(error)}`,
        );
        await pause(waitMs, closing.signal);
      }
    for (const [key] of view.places()) look(key);
  };
  const recalling = recall();
  return {
    /** Something may have been seen of the service's pods, or it is known now what it is. */
    look,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await recalling;
      await saving;
    },
  };
}
