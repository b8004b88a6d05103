import { keyOf, type Stored } from "../model/object.ts";
import type { Store, StoreEvent } from "../store/store.ts";

type Place = { readonly resource: string; readonly key: string };

/** Who belongs to whom, kept up to date with every write, so that no controller has to search for it. */
export type OwnerIndex = {
  /** What names the object of this uid as an owner. */
  dependents(uid: string): readonly Place[];
  /** Where the object of this uid is, if it still is. */
  find(uid: string): Place | undefined;
  /** Keys of objects that no controller has. */
  uncontrolled(resource: string): readonly string[];
  /** Reads the store anew, after it went back to a backup. */
  rebuild(): void;
};

const idOf = ({ resource, key }: Place): string => `${resource} ${key}`;
const adoptable = ["pods", "replicasets.apps", "jobs.batch"];

export function openOwnerIndex(store: Store): OwnerIndex {
  const byOwner = new Map<string, Map<string, Place>>();
  const places = new Map<string, Place>();
  const free = new Map(adoptable.map((resource) => [resource, new Set<string>()]));

  const forget = (place: Place, object: Stored): void => {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const inside = byOwner.get(uid);
      inside?.delete(idOf(place));
      if (inside?.size === 0) byOwner.delete(uid);
    }
    free.get(place.resource)?.delete(place.key);
    if (places.get(object.metadata.uid ?? "")?.key === place.key) places.delete(object.metadata.uid ?? "");
  };
  const learn = (place: Place, object: Stored): void => {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const inside = byOwner.get(uid) ?? new Map<string, Place>();
      byOwner.set(uid, inside.set(idOf(place), place));
    }
    if (!object.metadata.ownerReferences?.some(({ controller }) => controller))
      free.get(place.resource)?.add(place.key);
    places.set(object.metadata.uid ?? "", place);
  };
  const see = ({
    resource,
    key,
    object,
    previous,
  }: Pick<StoreEvent, "resource" | "key" | "object" | "previous">): void => {
    if (previous) forget({ resource, key }, previous);
    if (object) learn({ resource, key }, object);
  };
  store.onEvent(see);
  return {
    dependents: (uid) => [...(byOwner.get(uid)?.values() ?? [])],
    find: (uid) => places.get(uid),
    uncontrolled: (resource) => [...(free.get(resource) ?? [])],
    rebuild: () => {
      byOwner.clear();
      places.clear();
      for (const keys of free.values()) keys.clear();
      for (const resource of store.resources())
        for (const object of store.list(resource)) learn({ resource, key: keyOf(object.metadata) }, object);
    },
  };
}
