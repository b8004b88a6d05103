import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import type { Again } from "../../core/cluster.ts";
import { partsOf, type ServiceKey } from "../../core/service-key.ts";
import { surplusOf, type Deleter } from "./apply/collect.ts";
import { entryOf, isInventoryOf, listedIn } from "./apply/inventory.ts";
import { refTo } from "./manifests/manifest.ts";
import { isolationName, projectInventoryName } from "./manifests/names.ts";
import type { ServiceStates } from "./service-states.ts";
import type { ClusterView, Place } from "./view/cluster-view.ts";
import { configMapKind, deploymentKind, podKind, secretKind, volumeClaimKind } from "./view/kinds.ts";
import { isOfCluster, type OwnedObject } from "./view/owned-object.ts";
import type { Warn } from "../../core/warn.ts";

type Deps = {
  readonly api: KubeApi;
  readonly deleteObject: Deleter;
  readonly view: ClusterView;
  readonly states: ServiceStates;
  readonly clusterId: string;
  readonly warn: Warn;
};

/** What may stand in a namespace that nobody would miss; all else keeps the namespace. */
const lookedFor = [
  volumeClaimKind,
  podKind,
  deploymentKind,
  configMapKind,
  secretKind,
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "DaemonSet" },
  { apiVersion: "batch/v1", kind: "Job" },
  { apiVersion: "batch/v1", kind: "CronJob" },
];
/** Kubernetes puts these into every namespace. */
const byKubernetes: ReadonlySet<string> = new Set([
  "ConfigMap/kube-root-ca.crt",
  "ConfigMap/openshift-service-ca.crt",
]);

/** Takes away what belongs to a key, and with the last of a project what the project has once. Volumes stay. */
export function serviceRemovals({ api, deleteObject, view, states, clusterId, warn }: Deps) {
  /** A place with nothing but its list is on its way out: of several that leave together, none waits for another. */
  const isPresent = ({ objects, pods }: Place): boolean =>
    pods.size > 0 ||
    [...objects.values()].some((object) => object.kind !== "PersistentVolumeClaim" && !isInventoryOf(object));
  /** Other services of the project that are wanted or of which anything is there. */
  const othersOf = (key: ServiceKey): readonly ServiceKey[] => {
    const { projectId } = partsOf(key);
    const present = [...view.places()].filter(([, place]) => isPresent(place)).map(([each]) => each);
    const wanted = [...states.all()].map((state) => state.key);
    return [...new Set([...present, ...wanted])].filter(
      (each) => each !== key && partsOf(each).projectId === projectId,
    );
  };

  const deleteListed = async (
    namespace: string,
    choose: (object: OwnedObject) => boolean,
    signal: AbortSignal,
  ) => {
    const objects = view.space(namespace)?.objects ?? new Map<string, OwnedObject>();
    const listed = listedIn(objects, namespace);
    for (const object of objects.values())
      if (!object.isGoing && listed.has(entryOf(object)) && choose(object))
        await deleteObject(object, signal);
  };

  /** What in the namespace is not ours, or would be lost with it; undefined when nothing is. */
  async function keeper(namespace: string, signal: AbortSignal): Promise<string | undefined> {
    for (const kind of lookedFor) {
      const { items } = await api.list(kind, { namespace, metadataOnly: true }, signal);
      const found = items.find((item) => isKeeper(item));
      if (found) return `${found.kind} ${found.metadata.name}`;
    }
    return undefined;
  }
  const isKeeper = (item: KubeObject): boolean =>
    item.kind === "PersistentVolumeClaim" ||
    (!isOfCluster(item, clusterId) && !byKubernetes.has(`${item.kind}/${item.metadata.name}`));

  async function removeProject(key: ServiceKey, namespace: string, signal: AbortSignal): Promise<void> {
    const keeps = await keeper(namespace, signal);
    if (keeps === undefined) return deleteListed(namespace, ({ kind }) => kind === "Namespace", signal);
    warn(`the namespace ${namespace} stays, though its last service is gone: it holds ${keeps}`, key);
    const isRest = ({ kind, name }: OwnedObject) => kind !== "Namespace" && name !== projectInventoryName;
    return deleteListed(namespace, isRest, signal);
  }

  return async (key: ServiceKey, signal: AbortSignal): Promise<Again> => {
    states.forget(key);
    const place = view.place(key);
    if (!view.isSynced || !place) return view.isSynced ? undefined : { inMs: 300 };
    for (const object of surplusOf(place, new Set())) await deleteObject(object, signal);
    // The list goes last, when nothing of what it names is there; the events of what goes bring us back here.
    const inventories = [...place.objects.values()].filter(isInventoryOf);
    const left = [...place.objects.values()].filter(
      (object) =>
        !isInventoryOf(object) &&
        object.kind !== "PersistentVolumeClaim" &&
        listedIn(place.objects, object.namespace ?? "").has(entryOf(object)),
    );
    if (left.length > 0 || place.pods.size > 0) return undefined;
    const others = othersOf(key);
    const { environment } = partsOf(key);
    for (const { namespace = "" } of inventories) {
      if (others.length === 0) await removeProject(key, namespace, signal);
      else if (!others.some((each) => partsOf(each).environment === environment)) {
        const ref = refTo("NetworkPolicy", namespace, isolationName(environment));
        await deleteListed(namespace, (object) => object.ref === ref, signal);
      }
    }
    for (const inventory of inventories) if (!inventory.isGoing) await deleteObject(inventory, signal);
    return undefined;
  };
}
