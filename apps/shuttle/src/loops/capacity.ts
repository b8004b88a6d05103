import { wordsOf } from "@starform/std/fault";
import type { Capacity, Cluster } from "../core/cluster.ts";
import type { Starbase } from "../core/ports.ts";
import { systemTime, type Time } from "../core/time.ts";
import { inOwnTurn } from "./in-own-turn.ts";

type Deps = {
  readonly starbase: Pick<Starbase, "postCapacity">;
  readonly cluster: Pick<Cluster, "capacity">;
  readonly clusterId: string;
  readonly softLimit: number;
  /** What was seen, whether or not Starbase can be told. */
  readonly seen: (capacity: Capacity) => void;
  readonly sent: () => void;
  readonly warn: (sentence: string) => void;
  readonly time?: Time;
};

/** Tells Starbase once per interval how full the cluster is: always as it is then, so what failed is never repeated late. */
export function capacityLoop(deps: Deps, intervalMs: number): AsyncDisposable {
  const { starbase, cluster, clusterId, softLimit, seen, sent, warn, time = systemTime } = deps;
  const work = async (signal: AbortSignal): Promise<void> => {
    const capacity = await cluster.capacity(signal);
    seen(capacity);
    await starbase.postCapacity({ ...capacity, softLimit, at: new Date(time.nowMs()) }, signal);
    sent();
  };
  const failed = (error: unknown, before: number): void =>
    void (before % 20 === 0 && warn(`the capacity was not reported: ${wordsOf(error)}`));
  return inOwnTurn({ clusterId, call: "capacity", work, failed, time }, intervalMs);
}
