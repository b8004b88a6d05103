import { specOf, statusOf } from "../kinds/in-spec.ts";
import { ApiError } from "../model/api-error.ts";
import { asMap, asObject, asObjects, at, type JsonObject } from "../model/json.ts";
import { matchesSelector } from "../model/label-selector.ts";
import { keyOf, timestamp, withMeta, type Stored } from "../model/object.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { nonZero } from "./deployment-status.ts";
import { replicasOf } from "./deployment-sets.ts";
import { controlled, orphansBeside, ownerOf } from "./owned.ts";
import { availableAt, isActive, isFinished, isReady, withCondition } from "./pod-state.ts";
import { podOf } from "./pod-of.ts";
import { byDeletionOrder } from "./deletion-order.ts";

/** Replica sets: as many pods of the template as wanted. */
export const replicaSets: Controller = {
  name: "replicaset-controller",
  manager: "kube-controller-manager",
  keysOf: (event) =>
    event.resource === "pods" ? ownerKeys(event, "ReplicaSet") : own("replicasets.apps")(event),
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const set = context.cluster.store.get("replicasets.apps", namespace, name);
    if (!set) return;
    if (set.metadata.deletionTimestamp === undefined) {
      adopt(set, context);
      release(set, context);
    }
    const failure = set.metadata.deletionTimestamp === undefined ? fill(set, context) : undefined;
    const after = context.cluster.store.get("replicasets.apps", namespace, name);
    if (after) tellStatus(after, failure, context);
    if (failure) throw failure;
  },
};

/** Pods that fit and belong to nobody are taken in; this is how a workload finds its pods after an orphaning deletion. */
function adopt(set: Stored, { cluster, actor }: Reconciling): void {
  const selector = specOf(set)["selector"];
  for (const pod of orphansBeside(set, "pods", cluster)) {
    if (!isActive(pod) || !matchesSelector(selector, pod.metadata.labels ?? {})) continue;
    actor.update(
      pod,
      withMeta(pod, { ownerReferences: [...(pod.metadata.ownerReferences ?? []), ownerOf(set)] }),
    );
  }
}

/** Pods whose labels no longer fit are let go, and go on as nobody's. */
function release(set: Stored, { cluster, actor }: Reconciling): void {
  for (const pod of controlled(set, "pods", cluster)) {
    if (matchesSelector(specOf(set)["selector"], pod.metadata.labels ?? {})) continue;
    const others = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== set.metadata.uid);
    actor.update(pod, withMeta(pod, { ownerReferences: others }));
  }
}

/** Makes or removes pods; answers the refusal when they cannot be made. */
function fill(set: Stored, context: Reconciling): ApiError | undefined {
  const { cluster, actor } = context;
  const active = controlled(set, "pods", cluster).filter(isActive);
  const missing = replicasOf(set) - active.length;
  try {
    for (let count = 0; count < missing; count++) {
      const pod = actor.create(podOf(asObject(specOf(set)["template"]), set));
      actor.tell(set, { reason: "SuccessfulCreate", message: `Created pod: ${pod.metadata.name}` });
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    actor.tell(set, { type: "Warning", reason: "FailedCreate", message: `Error creating: ${error.message}` });
    return error;
  }
  for (const pod of byDeletionOrder(active).slice(0, Math.max(0, -missing))) {
    actor.remove(pod);
    actor.tell(set, { reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` });
  }
  return undefined;
}

function tellStatus(set: Stored, failure: ApiError | undefined, context: Reconciling): void {
  const { cluster, actor, now, later } = context;
  const all = controlled(set, "pods", cluster);
  const pods = all.filter(isActive);
  const seconds = Number(specOf(set)["minReadySeconds"] ?? 0);
  const times = pods.flatMap((pod) => availableAt(pod, seconds) ?? []);
  const available = times.filter((time) => time <= now()).length;
  const soonest = Math.min(...times.filter((time) => time > now()).map((time) => time.getTime()));
  if (Number.isFinite(soonest)) later(keyOf(set.metadata), soonest - now().getTime());
  const labels = asMap(at(specOf(set), "template", "metadata", "labels"));
  const isLabelled = (pod: Stored): boolean =>
    Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);
  const conditions = conditionsOf(set, failure, timestamp(now()));
  actor.status(set, {
    replicas: pods.length,
    ...nonZero({
      fullyLabeledReplicas: pods.filter(isLabelled).length,
      readyReplicas: pods.filter(isReady).length,
      availableReplicas: available,
      observedGeneration: set.metadata.generation ?? 0,
    }),
    terminatingReplicas: all.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod))
      .length,
    ...(conditions.length > 0 && { conditions }),
  });
}

function conditionsOf(set: Stored, failure: ApiError | undefined, time: string): readonly JsonObject[] {
  const conditions = asObjects(statusOf(set)["conditions"]);
  if (!failure) return conditions.filter(({ type }) => type !== "ReplicaFailure");
  // The message names a pod that never was, another one with each try: only the first is told.
  if (
    conditions.some(
      ({ type, status, reason }) =>
        type === "ReplicaFailure" && status === "True" && reason === "FailedCreate",
    )
  )
    return conditions;
  const condition = {
    type: "ReplicaFailure",
    status: "True",
    reason: "FailedCreate",
    message: failure.message,
  } as const;
  return withCondition(conditions, condition, time);
}
