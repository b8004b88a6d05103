import type { DesiredService } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";
import { until } from "@starform/std/retry";
import { plainContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import { prefix } from "../../src/adapters/kubernetes/manifests/labels.ts";
import { refTo, type ManifestRef } from "../../src/adapters/kubernetes/manifests/manifest.ts";
import { projectInventoryName } from "../../src/adapters/kubernetes/manifests/names.ts";
import { projectManifests } from "../../src/adapters/kubernetes/manifests/project-manifests.ts";
import { manifestsOf } from "../../src/adapters/kubernetes/manifests/service-manifests.ts";
import { appliedKinds } from "../../src/adapters/kubernetes/view/kinds.ts";
import {
  inventoryAnnotation,
  manifestChecksumAnnotation,
} from "../../src/adapters/kubernetes/view/owned-object.ts";
import { kinds, type KubeRig } from "./cluster-rig.ts";

/** The part of the cluster that is looked at. */
type Looked = Pick<KubeRig, "api" | "clusterId">;

/** Of every manifest that the services of one project make together, what its object must be stamped with. */
function checksumsOf(
  { clusterId }: Looked,
  services: readonly DesiredService[],
): ReadonlyMap<ManifestRef, string> {
  if (services.length === 0) return new Map();
  const context = plainContext(clusterId);
  const steps = [
    ...projectManifests(services, context),
    ...services.flatMap((service) => manifestsOf(service, context)),
  ];
  return new Map(steps.map(({ ref, manifest }) => [ref, digestOf(manifest)]));
}

/**
 * In what a project's part of the cluster differs from what its services make, a line each: objects that are missing, are
 * of another manifest, or are ours and should not be. What may be there besides: the inventories, what kept ReplicaSets
 * start from, and with a stranger's object in it the namespace.
 */
export async function differences(
  rig: Looked,
  namespace: string,
  services: readonly DesiredService[],
): Promise<readonly string[]> {
  const wanted = checksumsOf(rig, services);
  const kept = JSON.stringify((await rig.api.list(kinds.replicaSet, { namespace })).items);
  const labelSelector = `${prefix}managed-by=shuttle,${prefix}cluster-id=${rig.clusterId}`;
  const own = await Promise.all(
    appliedKinds
      .filter((kind) => kind.namespace === undefined)
      .map(({ apiVersion, kind }) =>
        rig.api.list({ apiVersion, kind }, { labelSelector, ...(kind === "Namespace" ? {} : { namespace }) }),
      ),
  );
  const objects = own.flatMap(({ items }) => items);
  const seen = new Map(
    objects.map((object) => [refTo(object.kind, object.metadata.namespace, object.metadata.name), object]),
  );
  const wrong = [...wanted].flatMap(([ref, checksum]) => {
    const object = seen.get(ref);
    if (!object) return [`${ref} is missing`];
    return object.metadata.annotations?.[manifestChecksumAnnotation] === checksum
      ? []
      : [`${ref} is of another manifest`];
  });
  const surplus = objects.filter(({ kind, metadata: { name, annotations, ...metadata } }) => {
    if (wanted.has(refTo(kind, metadata.namespace, name))) return false;
    if (kind === "Namespace") return name !== namespace;
    if (name === projectInventoryName) return false;
    const isInventory = annotations?.[inventoryAnnotation] !== undefined;
    const isOfWanted = services.some(
      ({ service_id }) => metadata.labels?.[`${prefix}service-id`] === service_id,
    );
    return !(isOfWanted && (isInventory || kept.includes(`"${name}"`)));
  });
  return [...wrong, ...surplus.map(({ kind, metadata }) => `${kind} ${metadata.name} is left over`)];
}

/** Waits until there are none. */
export async function comesToBe(
  rig: Looked,
  namespace: string,
  services: readonly DesiredService[],
  said: () => readonly string[] = () => [],
): Promise<void> {
  let last: readonly string[] = [];
  await until(
    "the cluster is as wanted",
    async () => (last = await differences(rig, namespace, services)).length === 0,
    { withinMs: 60_000, everyMs: 100 },
  ).catch((error: unknown) => {
    throw new Error(`${last.join("; ")}; Shuttle said: ${said().slice(-3).join("; ")}`, { cause: error });
  });
}
