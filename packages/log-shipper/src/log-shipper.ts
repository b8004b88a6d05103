import { backoffMs } from "@starform/std/retry";
import { noDiskBuffer, openDiskBuffer, type Batch, type DiskBuffer } from "./disk-buffer.ts";
import { insertRows, type InsertRows, type LogDestination } from "./insert-rows.ts";
import type { LineBudgetOptions } from "./line-budget.ts";
import { batchLinesMax, lineQueue } from "./line-queue.ts";
import type { LogLine } from "./log-line.ts";
import { wakeableSleep } from "./wakeable-sleep.ts";

export type { LogLevel, LogLine, LogStream } from "./log-line.ts";

export type LogShipperOptions = LogDestination & {
  /** Where lines wait while the store is away; one directory per process. */
  readonly bufferDir: string;
  readonly bufferBytesMax?: number;
  /** How long a line waits for others before it leaves, when nothing is under way. */
  readonly flushMs?: number;
  readonly budget?: LineBudgetOptions;
  /** Told in a sentence when the store cannot be reached or lines are dropped; the same one at most every 30 s. */
  readonly onError?: (message: string) => void;
};

export interface LogShipper extends AsyncDisposable {
  /** Takes the line; never waits, never throws. What is over the budget becomes a gap record in the same log. */
  ship(line: LogLine): void;
  /** Resolves when every line taken so far is in the store or in the buffer on disk, or is told of in a gap record. */
  flush(): Promise<void>;
  /** Lines that were not sent, and are told of in gap records. */
  readonly dropped: number;
}

/** For tests: the clock and the way to the store. */
export type LogShipperSeams = { readonly now?: () => number; readonly insert?: InsertRows };

/** Each insert makes a part that has to be merged later, so a steady stream is gathered for this long. */
const spacingMs = 60;
const gapAgeMs = 1_000;
const lookEveryMs = 100;
/** A file is an insert to come: what one noisy service writes in a while goes into few, or all others wait behind it. */
const spillEveryMs = 1_000;
/** More than this in memory does not wait for an insert that is under way. */
const spillBytes = 16 << 20;

/** Opens a shipper; what an earlier process left in the buffer is sent first, in its order. */
export function openLogShipper(options: LogShipperOptions, seams: LogShipperSeams = {}): LogShipper {
  const { flushMs = 25, bufferBytesMax = 256 << 20 } = options;
  const insert = seams.insert ?? insertRows(options);
  const queue = lineQueue(seams.now ?? Date.now, options.budget);
  const say = sayOnce(options.onError);
  const pause = wakeableSleep();
  const flushes: { readonly upTo: number; readonly done: () => void }[] = [];
  let isClosing = false;
  let isHealthy = true;
  let firstWaitsSinceMs = 0;
  let lastSentMs = -Infinity;
  let retryAtMs = 0;
  let spiltAtMs = -Infinity;
  let settled = 0;
  let failures = 0;

  const settle = (lines: number): void => {
    settled += lines;
    while (flushes[0] && flushes[0].upTo <= settled) flushes.shift()!.done();
  };
  const keep = async (disk: DiskBuffer, batch: Batch, mayExceedBudget = false): Promise<void> => {
    await disk.add(batch, { mayExceedBudget }).catch((error: Error) => {
      say(`log lines are dropped: ${error.message}`);
      queue.drop(batch, error.message);
    });
    settle(batch.lines);
  };
  /** Of what waits at this moment: while there is a flood, more comes with every write. */
  const spill = async (disk: DiskBuffer): Promise<void> => {
    spiltAtMs = performance.now();
    for (let left = queue.length; left > 0;) {
      const batch = queue.take();
      if (!batch) return;
      left -= batch.lines;
      await keep(disk, batch);
    }
  };
  /** Lines are gathered for a while, unless somebody waits until they are kept or they take much memory. */
  const spillWhenDue = async (disk: DiskBuffer): Promise<void> => {
    const isDue = performance.now() >= spiltAtMs + spillEveryMs;
    if (isDue || flushes.length > 0 || queue.bytes > spillBytes) await spill(disk);
  };
  /** Leaves what cannot be sent now for the next process, the records of gaps even over the budget. */
  const leave = async (disk: DiskBuffer): Promise<void> => {
    await spill(disk);
    queue.tellGaps(0);
    for (let batch = queue.take(); batch; batch = queue.take()) await keep(disk, batch, true);
  };
  /** What comes while an insert takes long goes to disk instead of filling the memory. */
  const deliver = async (disk: DiskBuffer, batch: Batch) => {
    const sent = insert(batch).catch((error: unknown) => ({ kind: "failed", why: String(error) }) as const);
    const slowAtMs = performance.now() + (isHealthy ? 1_000 : 0);
    while (!(await settlesWithin(sent, lookEveryMs)))
      if (performance.now() > slowAtMs || queue.bytes > spillBytes) await spillWhenDue(disk);
    return sent;
  };
  const dueInMs = (): number => {
    if (isClosing) return 0;
    if (queue.length === 0) return queue.hasGaps ? gapAgeMs : Infinity;
    if (queue.length >= batchLinesMax) return 0;
    // A flush does not wait for more lines, but keeps the spacing: many callers flush once a second each.
    const gatheredAtMs = flushes.length > 0 ? 0 : firstWaitsSinceMs + flushMs;
    return Math.max(gatheredAtMs, lastSentMs + spacingMs) - performance.now();
  };

  /** One step: sends the oldest lines, or waits until there is something to send. */
  const step = async (disk: DiskBuffer): Promise<void> => {
    if (!disk.isEmpty && performance.now() < retryAtMs) {
      await spillWhenDue(disk);
      return pause.for(Math.min(lookEveryMs, retryAtMs - performance.now()));
    }
    const stored = await disk.oldest();
    if (isHealthy) queue.tellGaps(isClosing || flushes.length > 0 ? 0 : gapAgeMs);
    const waitMs = stored ? 0 : dueInMs();
    if (waitMs > 0) return pause.for(waitMs);
    const batch = stored ?? queue.take();
    if (!batch) return;
    firstWaitsSinceMs = lastSentMs = performance.now();
    const outcome = await deliver(disk, batch);
    isHealthy = outcome.kind !== "failed";
    if (outcome.kind === "failed") {
      say(outcome.why);
      retryAtMs = performance.now() + backoffMs({ firstMs: 100, maxMs: 5_000 }, ++failures);
      if (!stored) await keep(disk, batch);
      return spillWhenDue(disk);
    }
    failures = 0;
    if (outcome.kind === "refused") {
      say(`log lines are dropped: ${outcome.why}`);
      queue.drop(batch, "the log store refused them");
    }
    if (stored) await disk.remove(stored.name);
    else settle(batch.lines);
  };

  const hasWork = (disk: DiskBuffer): boolean =>
    !isClosing || (isHealthy && disk.isEmpty && (queue.length > 0 || queue.hasGaps));
  const run = async (): Promise<void> => {
    const disk = await openDiskBuffer(options.bufferDir, bufferBytesMax).catch((error: Error) => {
      say(`log lines that cannot be sent at once will be lost: ${error.message}`);
      return noDiskBuffer(error.message);
    });
    while (hasWork(disk)) await step(disk);
    await leave(disk);
  };
  const running = run().catch((error: unknown) => say(`the log shipper stopped: ${String(error)}`));

  return {
    ship(line) {
      const wasEmpty = queue.length === 0;
      const reason = queue.add(line);
      if (reason !== undefined) say(`log lines are dropped: ${reason}`);
      if (wasEmpty) firstWaitsSinceMs = performance.now();
      if (wasEmpty || queue.length === batchLinesMax) pause.wake();
    },
    flush() {
      if (isHealthy) queue.tellGaps(0);
      if (settled >= queue.accepted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      flushes.push({ upTo: queue.accepted, done: resolve });
      pause.wake();
      return Promise.race([promise, running]);
    },
    get dropped() {
      return queue.dropped;
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      pause.wake();
      await running;
    },
  };
}

const settlesWithin = async (promise: Promise<unknown>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ms, false)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The same sentence at most every 30 s: an outage is one message, not one per line. */
function sayOnce(onError: ((message: string) => void) | undefined): (message: string) => void {
  const said = new Map<string, number>();
  return (message) => {
    const key = message.slice(0, 60);
    if (performance.now() - (said.get(key) ?? -Infinity) < 30_000) return;
    if (said.size > 100) said.clear();
    said.set(key, performance.now());
    try {
      onError?.(message);
    } catch {
      // The reporter's own failure must not stop the lines.
    }
  };
}
