import type { ClusterRoom } from "./ports.ts";

/** From here on the next cluster is due, so that what is on this one can still grow. */
const fullAt = 0.8;
/** Shuttle reports every minute: who was silent for so long may be gone. */
const silentMs = 10 * 60_000;

/**
 * The cluster of a new project: of those that are heard of and have room the oldest, so that one is filled after the other.
 * Where none has room, the emptiest. Undefined where there is no cluster. Equal clusters give equal answers.
 */
export function clusterForNewProject(clusters: readonly ClusterRoom[], now: Date): ClusterRoom | undefined {
  const ranked = clusters.map((cluster) => {
    const fullness = (cluster.pods ?? 0) / (cluster.podsSoftLimit ?? 1_000);
    const isSilent = now.getTime() - (cluster.lastSeenAt?.getTime() ?? 0) > silentMs;
    const isFull = fullness >= fullAt;
    return {
      cluster,
      rank: [Number(isSilent), Number(isFull), isFull ? fullness : 0, cluster.createdAt.getTime()],
    };
  });
  const [best] = ranked.toSorted(
    (a, b) =>
      a.rank.map((value, at) => value - b.rank[at]!).find((difference) => difference !== 0) ??
      (a.cluster.id < b.cluster.id ? -1 : 1),
  );
  return best?.cluster;
}
