import { isFault, wordsOf } from "@starform/std/fault";
import type { Cluster } from "../core/cluster.ts";
import type { SnapshotLog, Starbase } from "../core/ports.ts";
import { snapshotsOf, tickOf } from "../core/snapshots.ts";
import { systemTime, type Time } from "../core/time.ts";
import { inOwnTurn } from "./in-own-turn.ts";
import { periodic } from "./periodic.ts";

type Deps = {
  readonly starbase: Pick<Starbase, "postSnapshots">;
  readonly cluster: Pick<Cluster, "runningPods">;
  readonly clusterId: string;
  readonly log: SnapshotLog;
  readonly sent: (count: number) => void;
  readonly failed: (count: number) => void;
  readonly warn: (sentence: string) => void;
  readonly time?: Time;
};

/**
 * Writes down what runs at each tick, and sends what is written down. The two are loops of their own: however long
 * Starbase takes for what an outage kept back, no tick is left out meanwhile.
 */
export function snapshotLoop(deps: Deps, intervalMs: number): AsyncDisposable {
  const { cluster, clusterId, log, warn, time = systemTime } = deps;
  const take = async (): Promise<void> => {
    const tick = tickOf(time.nowMs(), intervalMs);
    const snapshots = snapshotsOf(await cluster.runningPods(), tick);
    if (snapshots.length > 0) log.append(snapshots, tick);
  };
  const stack = new AsyncDisposableStack();
  stack.use(
    periodic(
      intervalMs,
      take,
      (error) => warn(`what runs could not be written down for this minute's usage: ${wordsOf(error)}`),
      time,
    ),
  );
  stack.use(
    inOwnTurn(
      {
        clusterId,
        call: "snapshots",
        work: (signal) => sendAll(deps, time, signal),
        failed: (error, before) =>
          void (
            before % 20 === 0 && warn(`snapshots are kept here until Starbase takes them: ${wordsOf(error)}`)
          ),
        time,
      },
      intervalMs,
    ),
  );
  return stack;
}

/** One line a batch: what is refused once is refused every minute. */
const sayRefused = (refused: readonly string[], count: number): string =>
  `Starbase did not count ${refused.length} of ${count} snapshots: ${refused.slice(0, 3).join("; ")}${refused.length > 3 ? "; …" : ""}`;

/** What an outage kept back goes in its order, and leaves Starbase alone for as long as each batch took it. */
async function sendAll(
  { starbase, log, sent, failed, warn }: Deps,
  time: Time,
  signal: AbortSignal,
): Promise<void> {
  for (let batch = log.oldest(); batch && !signal.aborted; batch = log.oldest()) {
    const beganMs = time.elapsedMs();
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
    await time.pause(time.elapsedMs() - beganMs, signal);
  }
}
