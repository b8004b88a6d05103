import { withMeta, type Stored } from "../model/object.ts";
import type { Controller, Reconciling } from "./controller.ts";

/** Keys of the collector name the resource as well: it looks at every kind. */
const keyFor = (resource: string, key: string): string => `${resource} ${key}`;

/** Removes what belongs to nobody any more, and lets an owner go that waited for what belongs to it. */
export const garbageCollector: Controller = {
  name: "garbage-collector",
  manager: "kube-controller-manager",
  keysOf: (event, { owners }) => {
    const uid = (event.object ?? event.previous)?.metadata.uid ?? "";
    const isGoing = event.object === undefined || event.object.metadata.deletionTimestamp !== undefined;
    const below = isGoing ? owners.dependents(uid).map(({ resource, key }) => keyFor(resource, key)) : [];
    const above = event.object === undefined ? (event.previous?.metadata.ownerReferences ?? []) : [];
    const waiting = above.flatMap((owner) => {
      const place = owners.find(owner.uid);
      return place ? [keyFor(place.resource, place.key)] : [];
    });
    const isOwned = (event.object?.metadata.ownerReferences ?? []).length > 0;
    return [...(isOwned || isGoing ? [keyFor(event.resource, event.key)] : []), ...below, ...waiting];
  },
  reconcile: (id, context) => {
    const [resource = "", key = ""] = id.split(" ");
    const slash = key.indexOf("/");
    const object = context.cluster.store.get(
      resource,
      slash < 0 ? undefined : key.slice(0, slash),
      key.slice(slash + 1),
    );
    if (!object) return;
    if (object.metadata.deletionTimestamp === undefined) return collect(object, context);
    if (object.metadata.finalizers?.includes("orphan")) return orphanAll(object, context);
    if (object.metadata.finalizers?.includes("foregroundDeletion")) waitForDependents(object, context);
  },
};

/** An owner counts when it is there, of this uid, and reachable: in the same namespace, or in none. */
function liveOwners(object: Stored, { cluster }: Reconciling): readonly string[] {
  return (object.metadata.ownerReferences ?? []).flatMap(({ uid }) => {
    const place = cluster.owners.find(uid);
    const slash = place?.key.indexOf("/") ?? -1;
    const isReachable = slash < 0 || place?.key.slice(0, slash) === object.metadata.namespace;
    return place && isReachable ? [uid] : [];
  });
}

function collect(object: Stored, context: Reconciling): void {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0) return;
  const live = liveOwners(object, context);
  if (live.length === 0) return context.actor.remove(object, { propagationPolicy: "Background" });
  const going = owners.filter(({ uid }) => live.includes(uid) && isForeground(uid, context));
  if (going.length === live.length && going.length > 0)
    return context.actor.remove(object, { propagationPolicy: "Foreground" });
  if (live.length < owners.length)
    context.actor.update(
      object,
      withMeta(object, { ownerReferences: owners.filter(({ uid }) => live.includes(uid)) }),
    );
}

const find = (uid: string, { cluster }: Reconciling): Stored | undefined => {
  const place = cluster.owners.find(uid);
  if (!place) return undefined;
  const slash = place.key.indexOf("/");
  return cluster.store.get(
    place.resource,
    slash < 0 ? undefined : place.key.slice(0, slash),
    place.key.slice(slash + 1),
  );
};

const isForeground = (uid: string, context: Reconciling): boolean => {
  const owner = find(uid, context);
  return (
    owner?.metadata.deletionTimestamp !== undefined &&
    (owner.metadata.finalizers ?? []).includes("foregroundDeletion")
  );
};

const dependentsOf = (object: Stored, { cluster }: Reconciling): readonly Stored[] =>
  cluster.owners.dependents(object.metadata.uid ?? "").flatMap(({ resource, key }) => {
    const slash = key.indexOf("/");
    return (
      cluster.store.get(resource, slash < 0 ? undefined : key.slice(0, slash), key.slice(slash + 1)) ?? []
    );
  });

const withoutFinalizer = (object: Stored, finalizer: string, { actor }: Reconciling): void => {
  const rest = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  actor.update(object, withMeta(object, { finalizers: rest.length > 0 ? rest : undefined }));
};

/** The owner goes when nothing is left that blocks it. */
function waitForDependents(object: Stored, context: Reconciling): void {
  const blocking = dependentsOf(object, context).filter(({ metadata }) =>
    metadata.ownerReferences?.some(
      ({ uid, blockOwnerDeletion }) => uid === object.metadata.uid && blockOwnerDeletion,
    ),
  );
  for (const one of dependentsOf(object, context))
    if (one.metadata.deletionTimestamp === undefined) collect(one, context);
  if (blocking.length === 0) withoutFinalizer(object, "foregroundDeletion", context);
}

/** What belonged to the object stays, and belongs to it no more. */
function orphanAll(object: Stored, context: Reconciling): void {
  for (const one of dependentsOf(object, context)) {
    const rest = (one.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== object.metadata.uid);
    context.actor.update(one, withMeta(one, { ownerReferences: rest.length > 0 ? rest : undefined }));
  }
  withoutFinalizer(object, "orphan", context);
}
