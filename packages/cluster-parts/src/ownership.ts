import type { KubeObject } from "@starform/kubernetes/kube-api";

/** As whom a bootstrap applies. */
export const fieldManager = "starform";
export const managedByLabel = "starform.io/managed-by";
export const clusterIdLabel = "starform.io/cluster-id";
/** What a bootstrap made; Shuttle's own say `shuttle`. */
export const ownSelector = `${managedByLabel}=bootstrap`;

type ManagedFields = {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
};
const managersOf = (object: KubeObject): readonly ManagedFields[] =>
  (object.metadata.managedFields ?? []) as readonly ManagedFields[];

/**
 * Whether an object came from a bootstrap, or was handed over to it: a person does that by labelling it
 * `starform.io/managed-by=bootstrap`.
 */
export const isOurs = (object: KubeObject): boolean =>
  object.metadata.labels?.[managedByLabel] === "bootstrap" ||
  managersOf(object).some(({ manager, operation }) => manager === fieldManager && operation === "Apply");

/** Who made an object, as far as the server knows: the managers of its fields but those of its status. */
export function makerOf(object: KubeObject): string {
  const names = managersOf(object)
    .filter(({ subresource }) => !subresource)
    .flatMap(({ manager }) => (manager ? [manager] : []));
  return [...new Set(names)].join(", ") || "somebody";
}

export const nameOf = ({ kind, metadata: { name, namespace } }: KubeObject): string =>
  namespace ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
