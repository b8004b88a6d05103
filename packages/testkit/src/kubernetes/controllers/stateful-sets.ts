import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asMap, asObject, asObjects } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { safeHash } from "../model/random-name.ts";
import { canonicalJson } from "../apply/path-elements.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { replicasOf } from "./deployment-sets.ts";
import { nonZero } from "./deployment-status.ts";
import { controlled } from "./owned.ts";
import { claimOf } from "./stateful-claims.ts";
import { podOf } from "./pod-of.ts";
import { isActive, isReady } from "./pod-state.ts";

const revisionLabel = "controller-revision-hash";

/** Stateful sets: pods with numbers, made one after the other, replaced from the last to the first. */
export const statefulSets: Controller = {
  name: "statefulset-controller",
  manager: "kube-controller-manager",
  keysOf: (event) =>
    event.resource === "pods" ? ownerKeys(event, "StatefulSet") : own("statefulsets.apps")(event),
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const set = context.cluster.store.get("statefulsets.apps", namespace, name);
    if (!set) return;
    if (set.metadata.deletionTimestamp === undefined) step(set, context);
    tell(set, context);
  },
};

const revisionOf = (set: Stored): string =>
  `${set.metadata.name}-${safeHash(canonicalJson(specOf(set)["template"]))}`;
const numberOf = (pod: Stored): number => Number(/\d+$/.exec(pod.metadata.name)?.[0] ?? -1);
const isCurrent = (pod: Stored, set: Stored): boolean =>
  pod.metadata.labels?.[revisionLabel] === revisionOf(set);
const podsOf = (set: Stored, { cluster }: Reconciling): readonly Stored[] =>
  controlled(set, "pods", cluster).toSorted((a, b) => numberOf(a) - numberOf(b));

/** One thing at a time, unless the set says that its pods may come in parallel. */
function step(set: Stored, context: Reconciling): void {
  const pods = podsOf(set, context);
  const isParallel = specOf(set)["podManagementPolicy"] === "Parallel";
  const missing = Array.from({ length: replicasOf(set) }, (_, number) => number).filter(
    (number) => !pods.some((pod) => numberOf(pod) === number),
  );
  const surplus = pods.filter((pod) => numberOf(pod) >= replicasOf(set) && isActive(pod)).toReversed();
  const isSteady = pods.every((pod) => isActive(pod) && isReady(pod));
  if (isParallel) {
    for (const number of missing) make(set, number, context);
    for (const pod of surplus) drop(set, pod, context);
  } else if (
    missing[0] !== undefined &&
    pods.every((pod) => numberOf(pod) > (missing[0] ?? 0) || (isActive(pod) && isReady(pod)))
  ) {
    make(set, missing[0], context);
    return;
  } else if (surplus[0] && isSteady) return drop(set, surplus[0], context);
  if (!isSteady || missing.length > 0) return;
  const stale = pods.filter((pod) => !isCurrent(pod, set)).toReversed();
  const partition = Number(
    asObject(asObject(specOf(set)["updateStrategy"])["rollingUpdate"])["partition"] ?? 0,
  );
  const isRolling = asObject(specOf(set)["updateStrategy"])["type"] !== "OnDelete";
  if (isRolling && stale[0] && numberOf(stale[0]) >= partition) drop(set, stale[0], context);
}

function drop(set: Stored, pod: Stored, { actor }: Reconciling): void {
  actor.remove(pod);
  actor.tell(set, {
    reason: "SuccessfulDelete",
    message: `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`,
  });
}

function make(set: Stored, number: number, { cluster, actor }: Reconciling): void {
  const name = `${set.metadata.name}-${number}`;
  const claims = asObjects(specOf(set)["volumeClaimTemplates"]).map((template) =>
    claimOf(template, set, name),
  );
  for (const claim of claims)
    if (!cluster.store.get("persistentvolumeclaims", set.metadata.namespace, claim.name))
      actor.create(claim.object);
  const template = asObject(specOf(set)["template"]);
  const pod = podOf(template, set, {
    generateName: undefined,
    name,
    labels: {
      ...asMap(asObject(template["metadata"])["labels"]),
      [revisionLabel]: revisionOf(set),
      "statefulset.kubernetes.io/pod-name": name,
      "apps.kubernetes.io/pod-index": String(number),
    },
  });
  const spec = asObject(pod["spec"]);
  const volumes = claims.map((claim) => ({
    name: claim.volume,
    persistentVolumeClaim: { claimName: claim.name },
  }));
  actor.create({
    ...pod,
    spec: {
      ...spec,
      hostname: name,
      subdomain: specOf(set)["serviceName"],
      volumes: [...asObjects(spec["volumes"]), ...volumes],
    },
  });
  actor.tell(set, {
    reason: "SuccessfulCreate",
    message: `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
  });
}

function tell(set: Stored, context: Reconciling): void {
  const pods = podsOf(set, context);
  const current = pods.filter((pod) => isCurrent(pod, set));
  const revision = revisionOf(set);
  const isRolled = current.length === pods.length;
  context.actor.status(set, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...nonZero({
      readyReplicas: pods.filter(isReady).length,
      updatedReplicas: current.length,
      currentReplicas: isRolled ? current.length : pods.length - current.length,
    }),
    availableReplicas: pods.filter(isReady).length,
    currentRevision: isRolled ? revision : (statusOf(set)["currentRevision"] ?? revision),
    updateRevision: revision,
    collisionCount: 0,
  });
}
