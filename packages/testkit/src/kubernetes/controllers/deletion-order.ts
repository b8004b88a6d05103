import { specOf, statusOf } from "../kinds/in-spec.ts";
import type { Stored } from "../model/object.ts";
import { conditionOf, isReady } from "./pod-state.ts";

const phases = ["Pending", "Unknown", "Running"];

/** What a pod is ranked by when one must go: the lower, the sooner. Placed, running, ready, dear, alone, long ready, old. */
function rankOf(pod: Stored, crowd: ReadonlyMap<unknown, number>): readonly (number | string)[] {
  const readySince = isReady(pod) ? String(conditionOf(pod, "Ready")?.["lastTransitionTime"]) : "";
  return [
    specOf(pod)["nodeName"] === undefined ? 0 : 1,
    phases.indexOf(String(statusOf(pod)["phase"])),
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0),
    -(crowd.get(specOf(pod)["nodeName"]) ?? 0),
    // The one that became ready last goes first.
    -Date.parse(readySince || "1970-01-01"),
    -Date.parse(pod.metadata.creationTimestamp ?? "1970-01-01"),
    pod.metadata.name,
  ];
}

/** The pods in the order in which a controller gives them up. */
export function byDeletionOrder(pods: readonly Stored[]): readonly Stored[] {
  const crowd = new Map<unknown, number>();
  for (const pod of pods) crowd.set(specOf(pod)["nodeName"], (crowd.get(specOf(pod)["nodeName"]) ?? 0) + 1);
  const ranked = pods.map((pod) => [pod, rankOf(pod, crowd)] as const);
  return ranked
    .toSorted(([, a], [, b]) => {
      const index = a.findIndex((value, position) => value !== b[position]);
      if (index < 0) return 0;
      return (a[index] ?? 0) < (b[index] ?? 0) ? -1 : 1;
    })
    .map(([pod]) => pod);
}
