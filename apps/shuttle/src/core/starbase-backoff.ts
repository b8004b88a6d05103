/** The longest wait between two tries: a decision made after an outage is then known within this time. */
const decisionMaxMs = 10_000;
const firstMs = 1_000;
const leastMs = 50;

/**
 * How long to leave Starbase alone after so many failures in a row. Anything up to the exponential bound, evenly: a
 * thousand Shuttles that lost it in the same moment come back spread over the bound instead of all at once. What nobody
 * waits for may have a longer bound.
 */
export function starbaseBackoffMs(
  fails: number,
  { maxMs = decisionMaxMs, random = Math.random }: { maxMs?: number; random?: () => number } = {},
): number {
  const bound = Math.min(maxMs, firstMs * 2 ** Math.min(fails - 1, 16));
  return leastMs + random() * Math.max(0, bound - leastMs);
}
