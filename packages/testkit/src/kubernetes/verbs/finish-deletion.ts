import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Stored } from "../model/object.ts";

/** Nothing holds an object back any more that is being deleted: no finalizer, no time of grace. */
export const isReleased = (object: Stored, kind: Kind): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.finalizers ?? []).length === 0 &&
  (!kind.isGraceful || object.metadata.deletionGracePeriodSeconds === 0) &&
  !hasNamespaceFinalizer(object, kind);

const hasNamespaceFinalizer = (object: Stored, { resource }: Kind): boolean => {
  if (resource !== "namespaces") return false;
  const finalizers = (object["spec"] as { finalizers?: readonly string[] } | undefined)?.finalizers;
  return (finalizers ?? []).length > 0;
};

/** Takes an object away whose last finalizer has just gone. */
export const finishDeletion = (object: Stored, kind: Kind, { store }: Cluster): Stored =>
  isReleased(object, kind) ? store.remove(kind.resource, object) : object;
