import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { keyOf, timestamp, withMeta, type Stored } from "../model/object.ts";
import type { Reconciling } from "./controller.ts";
import { controlled } from "./owned.ts";
import { conditionOf, isActive, isFinished, withCondition } from "./pod-state.ts";

export const tracking = "batch.kubernetes.io/job-tracking";
/** It has not been counted yet. */
export const isTracked = ({ metadata }: Stored): boolean => metadata.finalizers?.includes(tracking) ?? false;

export const endOf = (job: Stored): JsonObject | undefined =>
  [conditionOf(job, "Complete"), conditionOf(job, "Failed")].find(
    (condition) => condition?.["status"] === "True",
  );

export const numbers = ({
  active,
  succeeded,
  failed,
  ready,
}: Readonly<Record<"active" | "succeeded" | "failed" | "ready", number>>): JsonObject => ({
  ...(active > 0 && { active }),
  ...(succeeded > 0 && { succeeded }),
  ...(failed > 0 && { failed }),
  ready,
});

export type Verdict = {
  readonly type: string;
  readonly first: string;
  readonly reason: string;
  readonly message: string;
  /** None of its pods is left that runs. */
  readonly isOver: boolean;
};

/** A job ends in two conditions: first that it will, then that it has, once its pods have ended. */
export function ended(
  job: Stored,
  { type, first, reason, message, isOver }: Verdict,
  time: string,
): JsonObject {
  const told = [first, ...(isOver ? [type] : [])].reduce<readonly JsonObject[]>(
    (all, one) =>
      withCondition(all, { type: one, status: "True", reason, message, lastProbeTime: time }, time),
    asObjects(statusOf(job)["conditions"]),
  );
  return { conditions: told, ...(type === "Complete" && isOver && { completionTime: time }) };
}

export function stopAll(pods: readonly Stored[], { actor }: Reconciling): number {
  for (const pod of pods) actor.remove(pod);
  return 0;
}

/** A pod that has been counted may go. */
export function release(pod: Stored, { actor }: Reconciling): void {
  const rest = (pod.metadata.finalizers ?? []).filter((one) => one !== tracking);
  if (rest.length !== (pod.metadata.finalizers ?? []).length)
    actor.update(pod, withMeta(pod, { finalizers: rest.length > 0 ? rest : undefined }));
}

export function suspend(job: Stored, context: Reconciling): void {
  stopAll(controlled(job, "pods", context.cluster).filter(isActive), context);
  const time = timestamp(context.now());
  const condition = {
    type: "Suspended",
    status: "True",
    reason: "JobSuspended",
    message: "Job suspended",
    lastProbeTime: time,
  } as const;
  const isTold = conditionOf(job, "Suspended")?.["status"] === "True";
  if (!isTold)
    context.actor.status(job, {
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      conditions: withCondition(asObjects(statusOf(job)["conditions"]), condition, time),
    });
}

/** A job that is over lets its pods go, and itself after the time it was given. */
export function expire(job: Stored, context: Reconciling): void {
  for (const pod of controlled(job, "pods", context.cluster))
    if (isFinished(pod) || pod.metadata.deletionTimestamp !== undefined) release(pod, context);
  const seconds = specOf(job)["ttlSecondsAfterFinished"];
  if (typeof seconds !== "number" || job.metadata.deletionTimestamp !== undefined) return;
  const due =
    Date.parse(String(endOf(job)?.["lastTransitionTime"])) + seconds * 1000 - context.now().getTime();
  if (due > 0) context.later(keyOf(job.metadata), due);
  else context.actor.remove(job, { propagationPolicy: "Foreground" });
}
