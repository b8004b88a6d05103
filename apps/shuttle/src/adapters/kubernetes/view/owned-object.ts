import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { ServiceKey } from "../../../core/service-key.ts";
import { prefix } from "../manifests/labels.ts";
import { refTo, type ManifestRef } from "../manifests/manifest.ts";

/** In whose name Shuttle applies. */
export const fieldManager = "shuttle";
/** The digest of the manifest that was last applied; put there by the apply itself. */
export const manifestChecksumAnnotation = `${prefix}manifest-checksum`;
/** On the ConfigMap that lists what was made: names of objects, `Kind/name`, with commas between. */
export const inventoryAnnotation = `${prefix}inventory`;

/** What is kept of an object that Shuttle makes. */
export type OwnedObject = {
  readonly ref: ManifestRef;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** Undefined for what belongs to a whole project or to the cluster. */
  readonly key: ServiceKey | undefined;
  readonly projectId: string | undefined;
  readonly checksum: string | undefined;
  /** `fieldsV1` of Shuttle's applies as JSON; empty when it never applied this object, as with a copy that somebody made. */
  readonly owned: string;
  readonly isGoing: boolean;
  /** Of the ConfigMap that lists what was made; see `inventoryAnnotation`. */
  readonly inventory: string | undefined;
};

/** The same string for the same text: thousands of objects, and what is remembered of them, have few texts between them. */
const texts = new Map<string, string>();
const textsMax = 20_000;
export function interned(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= textsMax) texts.clear();
  texts.set(text, text);
  return text;
}

export const labelOf = (object: KubeObject, name: string): string | undefined =>
  object.metadata.labels?.[`${prefix}${name}`];
export const annotationOf = (object: KubeObject, name: string): string | undefined =>
  object.metadata.annotations?.[`${prefix}${name}`];

/** Whether this cluster's Shuttle made it: two of them may share an API server, each with a cluster of its own. */
export const isOfCluster = (object: KubeObject, clusterId: string): boolean =>
  labelOf(object, "managed-by") === "shuttle" && labelOf(object, "cluster-id") === clusterId;

/** The tenant key that the labels say; undefined unless all three parts are there. */
export function keyOfLabels(object: KubeObject): ServiceKey | undefined {
  const parts = ["project-id", "environment", "service-id"].map((name) => labelOf(object, name));
  return parts.every(Boolean) ? interned(parts.join("/")) : undefined;
}

export function ownedObject(object: KubeObject): OwnedObject {
  const { name, namespace, uid = "", annotations, deletionTimestamp } = object.metadata;
  const projectId = labelOf(object, "project-id");
  const checksum = annotations?.[manifestChecksumAnnotation];
  return {
    ref: interned(refTo(object.kind, namespace, name)),
    kind: object.kind,
    namespace: namespace === undefined ? undefined : interned(namespace),
    name,
    uid,
    key: keyOfLabels(object),
    projectId: projectId === undefined ? undefined : interned(projectId),
    checksum: checksum && interned(checksum),
    owned: interned(ownedText(object)),
    isGoing: Boolean(deletionTimestamp),
    inventory: annotations?.[inventoryAnnotation],
  };
}

export type ManagedEntry = {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
};
export const managedEntries = (object: KubeObject): readonly ManagedEntry[] =>
  (object.metadata.managedFields ?? []) as readonly ManagedEntry[];

function ownedText(object: KubeObject): string {
  const own = managedEntries(object).find(
    ({ manager, operation, subresource }) =>
      manager === fieldManager && operation === "Apply" && !subresource,
  );
  return own?.fieldsV1 ? JSON.stringify(own.fieldsV1) : "";
}
