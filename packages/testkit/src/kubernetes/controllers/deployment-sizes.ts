import type { Stored } from "../model/object.ts";
import { bounds, replicasOf, sumSpec, sumStatus, type Sets } from "./deployment-sets.ts";
import { statusOf } from "../kinds/in-spec.ts";

export type Sizes = readonly (readonly [Stored, number])[];

/** How many pods the new set may have now without there being too many in all. */
export function newSetSize(deployment: Stored, { all, current }: Sets): number {
  const wanted = replicasOf(deployment);
  const now = current ? replicasOf(current) : 0;
  if (now >= wanted) return wanted;
  const room = wanted + bounds(deployment).surge - sumSpec(all);
  return room <= 0 ? now : now + Math.min(room, wanted - now);
}

/** What may go of the old sets without there being too few available: first what does not work, then the oldest. */
export function oldSetSizes(deployment: Stored, { all, current, old }: Sets): Sizes {
  const least = replicasOf(deployment) - bounds(deployment).unavailable;
  const available = (set: Stored): number => Number(statusOf(set)["availableReplicas"] ?? 0);
  const newUnavailable = current ? Math.max(0, replicasOf(current) - available(current)) : 0;
  let removable = sumSpec(all) - least - newUnavailable;
  if (removable <= 0 || sumSpec(old) === 0) return [];
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]));
  for (const set of old) {
    const broken = Math.min(Math.max(0, removable), replicasOf(set) - available(set));
    if (broken <= 0) continue;
    sizes.set(set, replicasOf(set) - broken);
    removable -= broken;
  }
  let spare = sumStatus(all, "availableReplicas") - least;
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    const going = Math.max(0, Math.min(size, spare));
    sizes.set(set, size - going);
    spare -= going;
  }
  return [...sizes].filter(([set, size]) => size !== replicasOf(set));
}

/** The sizes after the deployment itself was scaled: in the middle of a rollout each set gets its share. */
export function rescaledSizes(deployment: Stored, { all, current }: Sets): Sizes {
  const active = all.filter((set) => replicasOf(set) > 0);
  const wanted = replicasOf(deployment);
  const only = active.length <= 1 ? (active[0] ?? current) : undefined;
  if (only) return [[only, wanted]];
  if (
    current &&
    Number(statusOf(current)["availableReplicas"] ?? 0) === wanted &&
    replicasOf(current) === wanted
  )
    return active.filter((set) => set !== current).map((set) => [set, 0] as const);
  const total = sumSpec(active);
  const allowed = wanted > 0 ? wanted + bounds(deployment).surge : 0;
  const sizes = active.map(
    (set) => [set, Math.round((replicasOf(set) * allowed) / Math.max(1, total))] as const,
  );
  const rest = allowed - sizes.reduce((sum, [, size]) => sum + size, 0);
  return sizes.map(([set, size], index) => [set, index === 0 ? Math.max(0, size + rest) : size]);
}
