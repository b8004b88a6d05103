import type { QueuedBuild } from "./build-queue.ts";
import { lineOf, nextBuild } from "./fair-order.ts";

/** How long the last builds took, in milliseconds, by service. */
export type TookMs = ReadonlyMap<string, readonly number[]>;

/** Within this time a free builder takes on whose turn it is. */
const takenOnMs = 1_000;

/** Each step asks again whose turn it is, so who is further back is not told. */
export const foreseenMax = 50;

/**
 * When those that wait would begin if every build took what it usually does and nobody else came: the same choice as
 * Workers make, played forward. Who is not in the answer waits for a build of which nothing tells how long it takes: its
 * service and workspace have built nothing yet, or it runs longer than any before.
 */
export function forecast(queue: readonly QueuedBuild[], took: TookMs, now: Date): Map<string, Date> {
  const nowMs = now.getTime();
  const begins = new Map<string, Date>();
  const endsMs = new Map<string, number>();
  let left = queue.map((build): QueuedBuild => {
    if (build.ticket !== null) {
      const beganMs = build.claimedAt?.getTime() ?? nowMs;
      endsMs.set(build.deploymentId, endMs(beganMs, took.get(build.serviceId), nowMs));
    }
    return build;
  });
  const builders = buildersOf(queue, now);
  for (let atMs = nowMs; begins.size < foreseenMax;) {
    const at = new Date(atMs);
    const next = endsMs.size < builders ? nextBuild(left, at) : undefined;
    if (next) {
      begins.set(next.deploymentId, at);
      endsMs.set(next.deploymentId, endMs(atMs, took.get(next.serviceId), atMs));
      left = left.map((one) => (one === next ? { ...one, ticket: "foreseen", claimedAt: at } : one));
      continue;
    }
    const ready = left.filter(({ ticket }) => ticket === null).map(({ readyAt }) => readyAt.getTime());
    atMs = Math.min(...endsMs.values(), ...ready.filter((ms) => ms > atMs));
    if (!Number.isFinite(atMs)) break;
    for (const [id, ms] of endsMs) if (ms <= atMs) endsMs.delete(id);
    left = left.filter(({ ticket, deploymentId }) => ticket === null || endsMs.has(deploymentId));
  }
  return begins;
}

/** How many work at once: where a turn is waited for, as many as do now; else there are some for all whose turn it is. */
function buildersOf(queue: readonly QueuedBuild[], now: Date): number {
  const working = queue.filter(({ ticket }) => ticket !== null).length;
  const turns = lineOf(queue, now).filter(({ waitsFor }) => waitsFor === "turn");
  const areAllBusy = turns.some(({ build }) => build.readyAt.getTime() + takenOnMs < now.getTime());
  return Math.max(1, areAllBusy ? working : working + turns.length);
}

/** Of those that took at least as long as this one has, the middle; Infinity where there are none. */
function endMs(beganMs: number, took: readonly number[] = [], nowMs: number): number {
  const longer = took.filter((ms) => beganMs + ms > nowMs);
  return longer.length === 0 ? Infinity : beganMs + median(longer);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : Math.round((sorted[middle - 1]! + sorted[middle]!) / 2);
}
