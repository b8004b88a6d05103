import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { ManifestRef } from "../manifests/manifest.ts";
import type { Place } from "../view/cluster-view.ts";
import { collectableKinds, kindRefOf } from "../view/kinds.ts";
import type { OwnedObject } from "../view/owned-object.ts";
import type { CronJobView, DeploymentView } from "../view/workload-views.ts";
import { entryOf, isInventoryOf, listedIn } from "./inventory.ts";

/**
 * What of a place is wanted no more: of a kind that goes with its service, listed in the inventory and labelled as the
 * service's, both. A copy that somebody made has the labels and is not listed; what somebody took over is listed and has
 * other labels. A volume claim is never among it, nor what a pod that may still be started is made from.
 */
export function surplusOf(place: Place, wanted: ReadonlySet<ManifestRef>): readonly OwnedObject[] {
  const unwanted = [...place.objects.values()].filter(
    (object) => collectableKinds.has(object.kind) && !wanted.has(object.ref) && !object.isGoing,
  );
  if (unwanted.length === 0) return unwanted;
  const inUse = sourcesInUse(place);
  const surplus = unwanted.filter(
    (object) =>
      !isInventoryOf(object) &&
      object.owned !== "" &&
      listedIn(place.objects, object.namespace ?? "").has(entryOf(object)) &&
      !inUse.has(entryOf(object)),
  );
  const order = [...collectableKinds];
  return surplus.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** ConfigMaps and Secrets of kept ReplicaSets too: a return to one of them starts pods that need them. */
function sourcesInUse({ objects, replicaSets, jobs }: Place): ReadonlySet<string> {
  const workloads = [...objects.values()].filter(({ kind }) => kind === "Deployment" || kind === "CronJob");
  const holders = [
    ...(workloads as unknown as readonly (DeploymentView | CronJobView)[]),
    ...replicaSets.values(),
    ...jobs.values(),
  ];
  return new Set(holders.flatMap(({ sources }) => sources));
}

export type Deleter = (object: OwnedObject, signal: AbortSignal) => Promise<void>;

/**
 * Deletes this very object and no other of its name; gracefully, with all that it brought about. Until the informer tells
 * what became of it, it is not deleted a second time.
 */
export function deleter(api: KubeApi): Deleter {
  const asked = new WeakSet<OwnedObject>();
  return async (object, signal) => {
    if (asked.has(object)) return;
    const { kind, name, namespace, uid } = object;
    await api.delete({ ...kindRefOf(kind), name, namespace, uid }, signal);
    asked.add(object);
  };
}
