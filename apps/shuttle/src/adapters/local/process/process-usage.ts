import { readFileSync } from "node:fs";
import type { InstanceUsage } from "../engine.ts";

const [ticksPerSecond, pageBytes] = [100, 4_096];

/** Where no control group counts: the sum over the processes that live now. */
export function usageOfProcesses(pids: readonly number[]): InstanceUsage {
  let [ticks, pages] = [0, 0];
  for (const pid of pids)
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
      pages += Number(fields[21]);
    } catch {
      // It has ended meanwhile.
    }
  return { cpuSeconds: ticks / ticksPerSecond, memoryWorkingSetBytes: pages * pageBytes };
}
