import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const mib = 2 ** 20;
const looksEveryMs = 1_000;
/** More processor time than this between two looks is work. */
const workMs = 250;
const [grownBytesMax, grownInWorkBytesMax] = [24 * mib, 96 * mib];
/** Of the time, that giving back may take. */
const share = 1 / 20;

/**
 * Trades a little processor time for memory, in a process that lives long and mostly waits. As V8 has it, garbage may grow
 * to several times of what is in use before it is looked for: here to a quarter of it, and new objects get the space that they
 * have at the time of the call. What a burst of work leaves lies scattered over pages, and V8 keeps those that it frees: once
 * the burst is over, and in between where it is a long one, all is given back that can be, but for compiled code.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=25");
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--no-flush-bytecode");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
  let [kept, cpuMs, notBeforeMs] = [process.memoryUsage.rss(), cpuMsNow(), 0];
  setInterval(() => {
    const isAtWork = cpuMsNow() - cpuMs > workMs;
    cpuMs = cpuMsNow();
    const grown = process.memoryUsage.rss() - kept;
    const beganMs = performance.now();
    if (grown < (isAtWork ? grownInWorkBytesMax : grownBytesMax) || beganMs < notBeforeMs) return;
    collect({ type: "major", flavor: "last-resort" });
    notBeforeMs = performance.now() + (performance.now() - beganMs) / share;
    [kept, cpuMs] = [process.memoryUsage.rss(), cpuMsNow()];
  }, looksEveryMs).unref();
}

function cpuMsNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
