import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { ensureSet } from "./deployment-new-set.ts";
import { noteSet, progressing } from "./deployment-progress.ts";
import {
  isRescaled,
  replicasOf,
  resize,
  revisionOf,
  setsOf,
  sumStatus,
  type Sets,
} from "./deployment-sets.ts";
import { newSetSize, oldSetSizes, rescaledSizes, type Sizes } from "./deployment-sizes.ts";
import { syncStatus } from "./deployment-status.ts";
import { controlled } from "./owned.ts";
import { conditionOf, isFinished } from "./pod-state.ts";

/** Deployments: one replica set per template, rolled from the old ones to the new one. */
export const deployments: Controller = {
  name: "deployment-controller",
  manager: "kube-controller-manager",
  keysOf: (event, cluster) => {
    if (event.resource === "replicasets.apps") return ownerKeys(event, "Deployment");
    // A Recreate waits for the last pod of the old version to be gone.
    if (event.resource === "pods" && event.object === undefined)
      return deploymentOfPod(event.previous, cluster);
    return own("deployments.apps")(event);
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const find = (): Stored | undefined => context.cluster.store.get("deployments.apps", namespace, name);
    const deployment = find();
    if (!deployment) return;
    if (deployment.metadata.deletionTimestamp === undefined) act(deployment, context);
    const after = find();
    if (after) syncStatus(after, setsOf(after, context), context);
  },
};

const deploymentOfPod = (pod: Stored | undefined, { store }: Reconciling["cluster"]): readonly string[] => {
  const owner = pod?.metadata.ownerReferences?.find(({ kind }) => kind === "ReplicaSet");
  const set = owner && store.get("replicasets.apps", pod?.metadata.namespace, owner.name);
  const deployment = set?.metadata.ownerReferences?.find(({ kind }) => kind === "Deployment");
  return deployment ? [`${pod?.metadata.namespace}/${deployment.name}`] : [];
};

function act(deployment: Stored, context: Reconciling): void {
  const sets = setsOf(deployment, context);
  const isPaused = specOf(deployment)["paused"] === true;
  notePause(deployment, isPaused, context);
  if (isPaused || sets.all.some((set) => isRescaled(deployment, set))) {
    resizeAll(rescaledSizes(deployment, sets), deployment, context);
  } else if (asObject(specOf(deployment)["strategy"])["type"] === "Recreate")
    recreate(deployment, sets, context);
  else roll(deployment, sets, context);
  cleanUp(deployment, context);
}

const resizeAll = (sizes: Sizes, deployment: Stored, context: Reconciling): boolean =>
  sizes.map(([set, size]) => resize(set, size, deployment, context)).includes(true);

/** Up with the new set as far as there is room, or else down with the old ones as far as enough are available. */
function roll(deployment: Stored, sets: Sets, context: Reconciling): void {
  const size = newSetSize(deployment, sets);
  ensureSet(deployment, sets, context, size);
  const { current } = setsOf(deployment, context);
  if (current && resize(current, size, deployment, context)) return;
  resizeAll(oldSetSizes(deployment, setsOf(deployment, context)), deployment, context);
}

/** First every old pod goes, then the new ones come. */
function recreate(deployment: Stored, sets: Sets, context: Reconciling): void {
  const isShrunk = resizeAll(
    sets.old.map((set) => [set, 0] as const),
    deployment,
    context,
  );
  const isRunning = sets.old.some((set) =>
    controlled(set, "pods", context.cluster).some((pod) => !isFinished(pod)),
  );
  if (isShrunk || isRunning) return;
  ensureSet(deployment, sets, context, replicasOf(deployment));
  const { current } = setsOf(deployment, context);
  if (current) resize(current, replicasOf(deployment), deployment, context);
}

/** A pause stops the clock of the deadline, and its end starts it anew. */
function notePause(deployment: Stored, isPaused: boolean, context: Reconciling): void {
  const wasPaused = conditionOf(deployment, "Progressing")?.["reason"] === "DeploymentPaused";
  if (isPaused === wasPaused) return;
  const revision = Number(deployment.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 1);
  const condition = isPaused
    ? progressing("Unknown", "DeploymentPaused", "Deployment is paused")
    : progressing("Unknown", "DeploymentResumed", "Deployment is resumed");
  noteSet(deployment, revision, condition, context);
}

/** Old sets are kept for a rollback, but no more than the deployment says, and none while a rollout goes on. */
function cleanUp(deployment: Stored, context: Reconciling): void {
  const { all, current, old } = setsOf(deployment, context);
  const wanted = replicasOf(deployment);
  const isComplete =
    current && sumStatus([current], "availableReplicas") === wanted && sumStatus(all, "replicas") === wanted;
  const limit = Number(specOf(deployment)["revisionHistoryLimit"] ?? 10);
  const empty = old.filter((set) => replicasOf(set) === 0 && Number(statusOf(set)["replicas"] ?? 0) === 0);
  if (!isComplete || empty.length <= limit) return;
  const oldest = empty.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, empty.length - limit);
  for (const set of oldest) context.actor.remove(set);
}
