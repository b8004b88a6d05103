/** What one build may use. */
export type BuildLimits = {
  readonly memoryBytesMax: number;
  readonly processesMax: number;
  /** The work tree, its temporary files and what the build adds to its caches, together. */
  readonly diskBytesMax: number;
  readonly wallClockMs: number;
  /** How long a command may say nothing. */
  readonly silenceMs: number;
  /** Output past this is left out of the log, and the log says so. */
  readonly logBytesMax: number;
};

export const defaultBuildLimits: BuildLimits = {
  memoryBytesMax: 4 * 2 ** 30,
  processesMax: 2_048,
  diskBytesMax: 10 * 2 ** 30,
  wallClockMs: 30 * 60_000,
  silenceMs: 15 * 60_000,
  logBytesMax: 64 * 2 ** 20,
};

/** A number of bytes as a person says it: `512 MiB`, `1.5 GiB`. */
export function sayBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1_024 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1];
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}
