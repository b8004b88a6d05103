import type { LogLevel } from "./log-line.ts";

export type LineBudgetOptions = {
  /** Lines a second that one service may send for any length of time. */
  readonly linesPerSecond?: number;
  /** Lines it may send at once after a quiet time. */
  readonly burstLines?: number;
};

export interface LineBudget {
  /** Takes one line out of the service's budget; false when it is spent. Error lines have a reserve of their own. */
  allows(service: string, level: LogLevel, nowMs: number): boolean;
}

type Bucket = { lines: number; errors: number; atMs: number };
const servicesMax = 10_000;

/** One token bucket per service: a noisy one spends its own lines, never a neighbour's. */
export function lineBudget({
  linesPerSecond = 2_000,
  burstLines = linesPerSecond * 5,
}: LineBudgetOptions = {}): LineBudget {
  const buckets = new Map<string, Bucket>();
  const reserve = burstLines / 4;

  const bucketOf = (service: string, nowMs: number): Bucket => {
    const known = buckets.get(service);
    if (known) return known;
    // The oldest entry has long been full again: forgetting it changes nothing.
    if (buckets.size >= servicesMax) buckets.delete(buckets.keys().next().value!);
    const bucket = { lines: burstLines, errors: reserve, atMs: nowMs };
    buckets.set(service, bucket);
    return bucket;
  };

  return {
    allows(service, level, nowMs) {
      const bucket = bucketOf(service, nowMs);
      const passedMs = Math.max(0, nowMs - bucket.atMs);
      bucket.lines = Math.min(burstLines, bucket.lines + (passedMs * linesPerSecond) / 1_000);
      bucket.errors = Math.min(reserve, bucket.errors + (passedMs * linesPerSecond) / 4_000);
      bucket.atMs = nowMs;
      if (bucket.lines >= 1) return (bucket.lines -= 1) >= 0;
      if (level === "error" && bucket.errors >= 1) return (bucket.errors -= 1) >= 0;
      return false;
    },
  };
}
