import { statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

export const conditionOf = (object: Stored, type: string): JsonObject | undefined =>
  asObjects(statusOf(object)["conditions"]).find((condition) => condition["type"] === type);

export const isReady = (pod: Stored): boolean => conditionOf(pod, "Ready")?.["status"] === "True";

export const isFinished = (pod: Stored): boolean =>
  ["Succeeded", "Failed"].includes(String(statusOf(pod)["phase"]));

/** Neither ended nor about to. */
export const isActive = (pod: Stored): boolean =>
  !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;

/** When a ready pod counts as available, having been ready for so long; undefined when it is not ready. */
export function availableAt(pod: Stored, minReadySeconds: number): Date | undefined {
  const since = conditionOf(pod, "Ready")?.["lastTransitionTime"];
  if (!isReady(pod) || typeof since !== "string") return undefined;
  return new Date(new Date(since).getTime() + minReadySeconds * 1000);
}

/** The conditions with one of them set; the time of its last change stays when its status does. */
export function withCondition(
  conditions: readonly JsonObject[],
  condition: JsonObject & { readonly type: string; readonly status: string },
  time: string,
): readonly JsonObject[] {
  const before = conditions.find(({ type }) => type === condition.type);
  const changed = before?.["status"] === condition.status ? before["lastTransitionTime"] : time;
  const after = { ...condition, lastTransitionTime: changed };
  return before ? conditions.map((one) => (one === before ? after : one)) : [...conditions, after];
}
