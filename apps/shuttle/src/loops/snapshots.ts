import { isFault, wordsOf } from "@starform/std/fault";
import type { Cluster } from "../core/cluster.ts";
import type { NotCounted, SnapshotLog, Starbase } from "../core/ports.ts";
import { snapshotsOf } from "../core/snapshots.ts";
import { madeUpMax, tickBook } from "../core/tick-book.ts";
import { systemTime, type Time } from "../core/time.ts";
import { inOwnTurn } from "./in-own-turn.ts";
import { periodic } from "./periodic.ts";
import type { Warn } from "../core/warn.ts";

type Deps = {
  readonly starbase: Pick<Starbase, "postSnapshots">;
  readonly cluster: Pick<Cluster, "runningPods">;
  readonly clusterId: string;
  readonly log: SnapshotLog;
  readonly sent: (count: number) => void;
  readonly failed: (count: number) => void;
  readonly warn: Warn;
  readonly time?: Time;
};

/** How long a Shuttle whose log does not outlive it goes on sending when it is stopped. */
const lastSendMs = 2_000;

/**
 * Writes down what runs at each tick, and sends what is written down. The two are loops of their own: however long
 * Starbase takes for what an outage kept back, no tick is left out meanwhile.
 */
export function snapshotLoop(deps: Deps, intervalMs: number): AsyncDisposable {
  const { cluster, clusterId, log, warn, time = systemTime } = deps;
  const through = log.writtenThrough();
  const book = tickBook(intervalMs, through);
  if (through && time.nowMs() - through.getTime() > madeUpMax * intervalMs)
    warn(
      `no Shuttle has written down usage since ${through.toISOString()}: ${madeUpMax} ticks are made up for of what still runs, what was before them is not billed`,
    );
  const take = async (signal: AbortSignal): Promise<void> => {
    const nowMs = time.nowMs();
    for (const due of book.due(await cluster.runningPods(signal), nowMs)) {
      log.append(snapshotsOf(due.pods, due.tick), due.tick);
      book.wrote(due);
    }
  };
  let isAway = false;
  const send = async (signal: AbortSignal): Promise<void> => {
    try {
      await sendAll(deps, time, signal);
      isAway = false;
    } catch (error) {
      isAway = !signal.aborted;
      throw error;
    }
  };
  const ticks = periodic(
    intervalMs,
    take,
    (error) => warn(`what runs could not be written down, and is made up for: ${wordsOf(error)}`),
    time,
  );
  const sending = inOwnTurn(
    {
      clusterId,
      call: "snapshots",
      work: send,
      failed: (error, before) =>
        void (
          before % 20 === 0 && warn(`snapshots are kept here until Starbase takes them: ${wordsOf(error)}`)
        ),
      time,
    },
    intervalMs,
  );
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([ticks[Symbol.asyncDispose](), sending[Symbol.asyncDispose]()]);
      if (log.outlivesProcess || isAway) return;
      const over = new AbortController();
      const limit = time.pause(lastSendMs, over.signal).then(() => over.abort());
      await sendAll(deps, time, over.signal).catch(() => undefined);
      over.abort();
      await limit;
    },
  };
}

/** One line per service and batch, of a few services: what is refused once is refused every minute. */
function sayRefused(warn: Warn, refused: readonly NotCounted[], count: number): void {
  const services = [...Map.groupBy(refused, ({ key }) => key)];
  for (const [key, ofKey] of services.slice(0, 5)) {
    const sentences = ofKey.slice(0, 3).map(({ podId, reason }) => `${podId}: ${reason}`);
    const more = ofKey.length > 3 ? "; …" : "";
    warn(`Starbase did not count ${ofKey.length} of ${count} snapshots: ${sentences.join("; ")}${more}`, key);
  }
  if (services.length > 5)
    warn(`Starbase did not count snapshots of ${services.length - 5} more services in the same batch`);
}

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
      if (refused.length > 0) sayRefused(warn, refused, batch.snapshots.length);
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
