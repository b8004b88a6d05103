import { availableParallelism, totalmem } from "node:os";
import type { BuildLimits as PlanLimits } from "../../ports/build-service.ts";

/** What one build may use here: its plan's limits, and those that are the builder's own. */
export type BuildLimits = PlanLimits & {
  /** How long a command may say nothing. */
  readonly silenceMs: number;
  /** Output past this is left out of the log, and the log says so. */
  readonly logBytesMax: number;
};

/** Of this machine: a build leaves the platform and its neighbours a good part of the memory, whatever its plan. */
export const machineLimits = (): BuildLimits => ({
  wallClockMs: Infinity,
  cpuMillisMax: availableParallelism() * 1_000,
  memoryBytesMax: Math.floor(totalmem() * 0.6),
  processesMax: 16_384,
  diskBytesMax: Infinity,
  silenceMs: 15 * 60_000,
  logBytesMax: 64 * 2 ** 20,
});

/** The tighter of each. */
export const bothLimits = (ours: BuildLimits, plan: PlanLimits): BuildLimits => ({
  ...ours,
  wallClockMs: Math.min(ours.wallClockMs, plan.wallClockMs),
  cpuMillisMax: Math.min(ours.cpuMillisMax, plan.cpuMillisMax),
  memoryBytesMax: Math.min(ours.memoryBytesMax, plan.memoryBytesMax),
  processesMax: Math.min(ours.processesMax, plan.processesMax),
  diskBytesMax: Math.min(ours.diskBytesMax, plan.diskBytesMax),
});

/** A number of bytes as a person says it: `512 MiB`, `1.5 GiB`. */
export function sayBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1_024 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1];
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

export const ranOutOfMemory = (memoryBytesMax: number): string =>
  `ran out of memory: a build may use ${sayBytes(memoryBytesMax)}. Make it use less: fewer workers at once, or a lower --max-old-space-size`;
