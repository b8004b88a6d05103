import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import type { Manifest } from "../manifests/manifest.ts";
import { fieldManager, managedEntries, type ManagedEntry, type OwnedObject } from "../view/owned-object.ts";
import { owns, type FieldSet } from "./owned-fields.ts";

/** What somebody did by hand to an object that Shuttle owns; it is put back. */
export type Drift = {
  /** Like `Deployment/svc-1`. */
  readonly object: string;
  readonly what: "changed" | "deleted";
  /** Dotted paths of the fields; the first few. */
  readonly fields: readonly string[];
  /** The field manager that did it, like "kubectl-edit"; `null` where the server does not say. */
  readonly by: string | null;
  /** When; of a deletion, when it was seen. */
  readonly at: string;
};

const fieldsMax = 5;

/** Asks the server who owns the fields now that were ours, and nothing of what they hold. Only done for drift, which is rare. */
export async function changedByHand(
  api: KubeApi,
  {
    manifest,
    object,
    lost,
  }: { manifest: Manifest; object: OwnedObject; lost: readonly (readonly string[])[] },
  signal: AbortSignal,
): Promise<Drift> {
  const { apiVersion, kind } = manifest;
  const { name, namespace } = object;
  const live = await api
    .get({ apiVersion, kind, name, namespace, metadataOnly: true }, signal)
    .catch(() => undefined);
  const culprit = live && lastToTouch(live, lost);
  return {
    object: `${kind}/${name}`,
    what: "changed",
    fields: lost.slice(0, fieldsMax).map((path) => path.join(".")),
    by: culprit?.manager ?? null,
    at: culprit?.time ?? new Date().toISOString(),
  };
}

export const deletedByHand = ({ kind, metadata }: Manifest): Drift => ({
  object: `${kind}/${metadata.name}`,
  what: "deleted",
  fields: [],
  by: null,
  at: new Date().toISOString(),
});

/** Who owns one of the fields now; a field that is gone has no owner, and the server does not say who took it away. */
function lastToTouch(live: KubeObject, lost: readonly (readonly string[])[]): ManagedEntry | undefined {
  const isOurs = ({ manager, operation }: ManagedEntry) => manager === fieldManager && operation === "Apply";
  return managedEntries(live)
    .filter((entry) => !entry.subresource && !isOurs(entry))
    .filter(({ fieldsV1 }) => fieldsV1 && lost.some((path) => owns(fieldsV1 as FieldSet, path)))
    .toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))[0];
}
