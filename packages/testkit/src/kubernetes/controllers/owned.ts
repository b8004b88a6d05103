import type { Cluster } from "../cluster.ts";
import { controllerOf, type OwnerReference, type Stored } from "../model/object.ts";
import { partsOf } from "./controller.ts";

/** The reference that makes an object the controller of another one. */
export const ownerOf = ({ apiVersion, kind, metadata }: Stored): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

const at = (resource: string, key: string, { store }: Cluster): Stored | readonly Stored[] => {
  const [namespace, name] = partsOf(key);
  return store.get(resource, namespace, name) ?? [];
};

/** The objects of a resource that this one controls. */
export const controlled = (owner: Stored, resource: string, cluster: Cluster): readonly Stored[] =>
  cluster.owners
    .dependents(owner.metadata.uid ?? "")
    .filter((place) => place.resource === resource)
    .flatMap(({ key }) => at(resource, key, cluster))
    .filter((object) => controllerOf(object)?.uid === owner.metadata.uid);

/** Objects of a resource in the owner's namespace that nobody controls. */
export const orphansBeside = (owner: Stored, resource: string, cluster: Cluster): readonly Stored[] =>
  cluster.owners
    .uncontrolled(resource)
    .filter((key) => key.startsWith(`${owner.metadata.namespace}/`))
    .flatMap((key) => at(resource, key, cluster));
