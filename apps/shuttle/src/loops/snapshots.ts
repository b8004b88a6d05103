import { isFault, wordsOf } from "@starform/std/fault";
import type { Cluster } from "../core/cluster.ts";
import type { SnapshotLog, Starbase } from "../core/ports.ts";
import { snapshotsOf, tickOf } from "../core/snapshots.ts";
import { periodic } from "./periodic.ts";

type Deps = {
  readonly starbase: Starbase;
  readonly cluster: Cluster;
  readonly log: SnapshotLog;
  readonly sent: (count: number) => void;
  readonly failed: (count: number) => void;
  readonly warn: (sentence: string) => void;
};

/** Writes down what runs at each tick, before it is sent; what an outage kept back follows in its order. */
export function snapshotLoop(deps: Deps, intervalMs: number): AsyncDisposable {
  const turn = async (signal: AbortSignal): Promise<void> => {
    const tick = tickOf(Date.now(), intervalMs);
    const snapshots = snapshotsOf(await deps.cluster.runningPods(), tick);
    if (snapshots.length > 0) deps.log.append(snapshots, tick);
    await sendAll(deps, signal);
  };
  return periodic(intervalMs, turn, (error) =>
    deps.warn(`snapshots are kept here until Starbase takes them: ${wordsOf(error)}`),
  );
}

/** One line a batch: what is refused once is refused every minute. */
const sayRefused = (refused: readonly string[], count: number): string =>
  `Starbase did not count ${refused.length} of ${count} snapshots: ${refused.slice(0, 3).join("; ")}${refused.length > 3 ? "; …" : ""}`;

async function sendAll({ starbase, log, sent, failed, warn }: Deps, signal: AbortSignal): Promise<void> {
  for (let batch = log.oldest(); batch && !signal.aborted; batch = log.oldest())
    try {
      const refused = await starbase.postSnapshots(batch.snapshots, signal);
      if (refused.length > 0) warn(sayRefused(refused, batch.snapshots.length));
      log.taken(batch.name);
      sent(batch.snapshots.length);
    } catch (error) {
      failed(batch.snapshots.length);
      const isFinal = isFault(error) && ["malformed", "invalid", "too_large"].includes(error.code);
      if (!isFinal) throw error;
      warn(`Starbase will never take the snapshots ${batch.name}, which are put aside: ${wordsOf(error)}`);
      log.refused(batch.name);
    }
}
