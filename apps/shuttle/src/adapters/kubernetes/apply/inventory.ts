import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "../manifests/context.ts";
import { projectLabels, serviceLabels } from "../manifests/labels.ts";
import {
  refOf,
  step,
  refTo,
  type Manifest,
  type ManifestRef,
  type ManifestStep,
} from "../manifests/manifest.ts";
import { inventoryName, projectInventoryName } from "../manifests/names.ts";
import type { Project } from "../manifests/project.ts";
import { inventoryAnnotation, type OwnedObject } from "../view/owned-object.ts";

type Objects = ReadonlyMap<ManifestRef, OwnedObject>;

/** `Kind/name`, within one namespace. */
export const entryOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string =>
  `${kind}/${name}`;
const entryOfManifest = ({ kind, metadata }: Manifest): string => entryOf({ kind, name: metadata.name });

/** What the inventories among these objects list in a namespace. */
export function listedIn(objects: Objects, namespace: string): ReadonlySet<string> {
  const inventories = [...objects.values()].filter(
    (object) => object.inventory && object.namespace === namespace,
  );
  return new Set(inventories.flatMap(({ inventory = "" }) => inventory.split(",").filter(Boolean)));
}

/**
 * The list of what Shuttle makes for a service, kept in the cluster: written before anything it names is made, and only
 * shortened when that is gone. Nothing is ever deleted that is not on it, whatever its labels say.
 */
export const serviceInventory = (
  service: DesiredService,
  context: ManifestContext,
  { wanted, objects }: { readonly wanted: readonly Manifest[]; readonly objects: Objects },
): ManifestStep =>
  step(
    inventory(
      {
        name: inventoryName(service),
        namespace: service.namespace,
        labels: serviceLabels(service, context.clusterId),
      },
      entries(wanted, objects, service.namespace),
    ),
    refTo("Namespace", undefined, service.namespace),
  );

/** The same of what a project has once. Only its labels make the difference. */
export const projectInventory = (
  project: Project,
  context: ManifestContext,
  { wanted, objects }: { readonly wanted: readonly Manifest[]; readonly objects: Objects },
): ManifestStep =>
  step(
    inventory(
      {
        name: projectInventoryName,
        namespace: project.namespace,
        labels: projectLabels(project, context.clusterId),
      },
      entries(wanted, objects, project.namespace),
    ),
    refTo("Namespace", undefined, project.namespace),
  );

const inventory = (metadata: Manifest["metadata"], list: readonly string[]): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...metadata, annotations: { [inventoryAnnotation]: list.join(",") } },
});

function entries(wanted: readonly Manifest[], objects: Objects, namespace: string): readonly string[] {
  const there = new Set([...objects.values()].map(entryOf));
  const kept = [...listedIn(objects, namespace)].filter((entry) => there.has(entry));
  return [...new Set([...wanted.map(entryOfManifest), ...kept])].toSorted();
}

export const isInventoryOf = (object: OwnedObject): boolean =>
  object.kind === "ConfigMap" && object.inventory !== undefined;
export const refsOf = (steps: readonly ManifestStep[]): ReadonlySet<ManifestRef> =>
  new Set(steps.map(({ manifest }) => refOf(manifest)));
