import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import type { Reconciling } from "./controller.ts";
import { progressing } from "./deployment-progress.ts";
import { bounds, replicasOf, sumSpec, sumStatus, type Sets } from "./deployment-sets.ts";
import { conditionOf, withCondition } from "./pod-state.ts";

type Condition = JsonObject & { readonly type: string; readonly status: string };

/** Numbers that are zero are left out, as Go leaves them out. */
export const nonZero = (fields: Readonly<Record<string, number>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0));

/** Tells where the deployment stands. */
export function syncStatus(deployment: Stored, sets: Sets, context: Reconciling): void {
  const { actor, now } = context;
  const time = timestamp(now());
  const { all, current } = sets;
  const available = sumStatus(all, "availableReplicas");
  const numbers = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sumStatus(all, "replicas"),
    updatedReplicas: current ? sumStatus([current], "replicas") : 0,
    readyReplicas: sumStatus(all, "readyReplicas"),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumSpec(all) - available),
  };
  let conditions = withCondition(
    asObjects(statusOf(deployment)["conditions"]),
    changed(deployment, availability(deployment, available), time),
    time,
  );
  const progress = progressOf(deployment, { numbers, sets, context });
  if (progress) conditions = withCondition(conditions, { ...progress, lastUpdateTime: time }, time);
  const failure = failureOf(all);
  conditions = conditions.filter(({ type }) => type !== "ReplicaFailure" || failure);
  if (failure) conditions = withCondition(conditions, changed(deployment, failure, time), time);
  actor.status(deployment, {
    ...nonZero(numbers),
    terminatingReplicas: sumStatus(all, "terminatingReplicas"),
    conditions,
  });
  watchDeadline(deployment, conditions, context);
}

/** The time of the last update moves only when the condition says something else. */
const changed = (deployment: Stored, condition: Condition, time: string): Condition => {
  const before = conditionOf(deployment, condition.type);
  const isSame =
    before?.["status"] === condition.status &&
    before["reason"] === condition["reason"] &&
    before["message"] === condition["message"];
  return { ...condition, lastUpdateTime: isSame ? before["lastUpdateTime"] : time };
};

const availability = (deployment: Stored, available: number): Condition =>
  available >= replicasOf(deployment) - bounds(deployment).unavailable
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };

/** Why a replica set cannot make its pods, when one cannot. */
function failureOf(sets: readonly Stored[]): Condition | undefined {
  const failed = sets
    .map((set) => conditionOf(set, "ReplicaFailure"))
    .find((condition) => condition?.["status"] === "True");
  return (
    failed && { type: "ReplicaFailure", status: "True", reason: failed["reason"], message: failed["message"] }
  );
}

type Numbers = Readonly<Record<string, number>>;
type Progress = { readonly numbers: Numbers; readonly sets: Sets; readonly context: Reconciling };

export const deadlineOf = (deployment: Stored): number | undefined => {
  const seconds = Number(specOf(deployment)["progressDeadlineSeconds"] ?? 600);
  return seconds >= 2_147_483_647 ? undefined : seconds;
};

/** The new condition of progress, or undefined to leave the old one. */
function progressOf(deployment: Stored, { numbers, sets, context }: Progress): Condition | undefined {
  const before = conditionOf(deployment, "Progressing");
  if (deadlineOf(deployment) === undefined) return undefined;
  const name = JSON.stringify(sets.current?.metadata.name ?? deployment.metadata.name);
  const wanted = replicasOf(deployment);
  const isComplete =
    numbers["updatedReplicas"] === wanted &&
    numbers["replicas"] === wanted &&
    numbers["availableReplicas"] === wanted &&
    numbers["observedGeneration"] === deployment.metadata.generation;
  const wasComplete =
    before?.["reason"] === "NewReplicaSetAvailable" && numbers["replicas"] === numbers["updatedReplicas"];
  if (wasComplete) return undefined;
  if (isComplete)
    return progressing("True", "NewReplicaSetAvailable", `ReplicaSet ${name} has successfully progressed.`);
  if (isBetter(deployment, numbers))
    return progressing("True", "ReplicaSetUpdated", `ReplicaSet ${name} is progressing.`);
  if (!isLate(deployment, context)) return undefined;
  if (before?.["reason"] === "ProgressDeadlineExceeded") return undefined;
  return progressing("False", "ProgressDeadlineExceeded", `ReplicaSet ${name} has timed out progressing.`);
}

/** More of the new, fewer of the old, more that are ready: since the status was last written. */
function isBetter(deployment: Stored, numbers: Numbers): boolean {
  const before = (field: string): number => Number(statusOf(deployment)[field] ?? 0);
  const now = (field: string): number => numbers[field] ?? 0;
  const oldNow = now("replicas") - now("updatedReplicas");
  return (
    now("updatedReplicas") > before("updatedReplicas") ||
    oldNow < before("replicas") - before("updatedReplicas") ||
    now("readyReplicas") > before("readyReplicas") ||
    now("availableReplicas") > before("availableReplicas")
  );
}

function isLate(deployment: Stored, { now }: Reconciling): boolean {
  const progress = conditionOf(deployment, "Progressing");
  if (!progress || progress["reason"] === "NewReplicaSetAvailable") return false;
  const since = new Date(String(progress["lastUpdateTime"])).getTime();
  return since + (deadlineOf(deployment) ?? 0) * 1000 < now().getTime();
}

/** Looks again when the deadline is over; one second later, for times are kept in whole seconds. */
function watchDeadline(
  deployment: Stored,
  conditions: readonly JsonObject[],
  { later, now }: Reconciling,
): void {
  const progress = conditions.find(({ type }) => type === "Progressing");
  const seconds = deadlineOf(deployment);
  if (
    !progress ||
    seconds === undefined ||
    ["NewReplicaSetAvailable", "ProgressDeadlineExceeded"].includes(String(progress["reason"]))
  )
    return;
  const due = new Date(String(progress["lastUpdateTime"])).getTime() + (seconds + 1) * 1000;
  later(keyOf(deployment.metadata), Math.max(1000, due - now().getTime()));
}
