const steps = [
  { unit: "second", ms: 1_000, below: 60_000 },
  { unit: "minute", ms: 60_000, below: 3_600_000 },
  { unit: "hour", ms: 3_600_000, below: 86_400_000 },
  { unit: "day", ms: 86_400_000, below: 30 * 86_400_000 },
  { unit: "month", ms: 30 * 86_400_000, below: 365 * 86_400_000 },
  { unit: "year", ms: 365 * 86_400_000, below: Infinity },
] as const;
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

/** "12m ago", "in 3d"; below ten seconds "just now". */
export function sayWhen(at: Date | string, now: number): string {
  const distanceMs = new Date(at).getTime() - now;
  const size = Math.abs(distanceMs);
  if (size < 10_000) return "just now";
  const step = steps.find(({ below }) => size < below) ?? steps[5];
  return relative.format(Math.trunc(distanceMs / step.ms), step.unit);
}

/** The moment to the second, in the reader's own zone. */
export const sayExactly = (at: Date | string): string =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** "240 ms", "1.4 s", "2 min 5 s", "3 h 12 min". */
export function sayDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** How long something has taken so far, in whole seconds, so that the eye can rest. */
export const sayRunning = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return seconds < 60 ? `${seconds} s` : sayDuration(seconds * 1_000);
};

const prefixes = ["", "Ki", "Mi", "Gi", "Ti"];

/** A measured value with its unit, short enough for a chart's corner. */
export function sayValue(value: number, unit: string): string {
  if (unit === "bytes" || unit === "bytes/s") {
    const step = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
    const scaled = value / 2 ** (10 * step);
    return `${step === 0 ? Math.round(scaled) : scaled.toFixed(scaled < 10 ? 1 : 0)} ${prefixes[step]}B${unit === "bytes/s" ? "/s" : ""}`;
  }
  if (unit === "seconds") return sayDuration(value * 1_000);
  if (unit === "ms") return sayDuration(value);
  const digits = value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 3;
  return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`.trim();
}

/** The first characters of a commit or a digest. */
export const shortSha = (sha: string): string => sha.replace(/^sha256:/, "").slice(0, 7);

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
