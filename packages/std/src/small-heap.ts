import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const looksEveryMs = 10_000;
const grownBytesMax = 24 * 2 ** 20;

/**
 * Trades a little processor time for memory, in a process that lives long and mostly waits. As V8 has it, garbage may grow
 * to several times of what is in use before it is looked for: here to a tenth of it, and new objects get the space that they
 * have at the time of the call. What a burst of work leaves lies scattered over pages that V8 keeps: after each 24 MiB that
 * the heap has grown they are compacted and given back, at most every ten seconds.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=10");
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "major" }) => void;
  let compacted = getHeapStatistics().total_heap_size;
  setInterval(() => {
    if (getHeapStatistics().total_heap_size - compacted < grownBytesMax) return;
    collect({ type: "major" });
    compacted = getHeapStatistics().total_heap_size;
  }, looksEveryMs).unref();
}
