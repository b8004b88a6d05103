import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const mib = 2 ** 20;
const looksEveryMs = 1_000;
/** However much there is to do, most of the time is for that. */
const againAfterMs = 10_000;
/** To compact a heap of 50 MB takes some 300 ms: it must be worth that, and in the middle of work more so. */
const [grownBytesMax, grownInWorkBytesMax] = [8 * mib, 48 * mib];
/** What the heap grows by between two looks while there is work. */
const workBytes = mib;

/**
 * Trades a little processor time for memory, in a process that lives long and mostly waits. As V8 has it, garbage may grow
 * to several times of what is in use before it is looked for: here to a tenth of it, and new objects get the space that they
 * have at the time of the call. What a burst of work leaves lies scattered over pages that V8 keeps: once it is over, and in
 * between where it is a long one, all is given back that can be, compiled code that nobody uses too.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=10");
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
  const heapBytes = () => getHeapStatistics().total_heap_size;
  let compacted = heapBytes();
  let seen = compacted;
  let compactedAtMs = performance.now();
  setInterval(() => {
    const bytes = heapBytes();
    const isAtWork = bytes - seen > workBytes;
    seen = bytes;
    if (bytes - compacted < (isAtWork ? grownInWorkBytesMax : grownBytesMax)) return;
    if (performance.now() - compactedAtMs < againAfterMs) return;
    collect({ type: "major", flavor: "last-resort" });
    compacted = seen = heapBytes();
    compactedAtMs = performance.now();
  }, looksEveryMs).unref();
}
