import { openInformer, type Informer } from "@starform/kubernetes/informer";
import type { KindRef, KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import type { ServiceKey } from "../../../core/service-key.ts";
import { managedBySelector } from "../manifests/labels.ts";
import type { ManifestRef } from "../manifests/manifest.ts";
import { eventView, type EventView } from "./event-view.ts";
import {
  appliedKinds,
  configMapKind,
  cronJobKind,
  deploymentKind,
  jobKind,
  podKind,
  replicaSetKind,
  type OwnedKind,
} from "./kinds.ts";
import { nodeView, type NodeView } from "./node-view.ts";
import { isOfCluster, ownedObject, type OwnedObject } from "./owned-object.ts";
import { podView, type PodView } from "./pod-view.ts";
import { configMapView } from "./run-notes.ts";
import {
  cronJobView,
  deploymentView,
  jobView,
  replicaSetView,
  type JobView,
  type ReplicaSetView,
} from "./workload-views.ts";

/** All that is there of one service in one environment. */
export type Place = {
  readonly objects: Map<ManifestRef, OwnedObject>;
  readonly pods: Map<string, PodView>;
  readonly replicaSets: Map<string, ReplicaSetView>;
  readonly jobs: Map<string, JobView>;
  /** Grows with what an apply or a collection may have to answer; and with anything at all that was seen. */
  revision: number;
  seen: number;
};
/** What serves a whole project, in its namespace; and the cluster, under no namespace. */
export type Space = { readonly objects: Map<ManifestRef, OwnedObject>; revision: number };

export type ClusterView = ReturnType<typeof openClusterView>;
type Options = {
  readonly api: KubeApi;
  readonly clusterId: string;
  readonly warn: (sentence: string) => void;
  readonly changed: (key: ServiceKey) => void;
  /** Of the namespace; of the cluster when it is undefined. */
  readonly spaceChanged: (namespace: string | undefined) => void;
  readonly frozen: (resource: string) => void;
  readonly silentMaxMs?: number | undefined;
};

/** What Shuttle knows of its cluster: informers of what it owns and of what that brings about, indexed by tenant key. */
export function openClusterView({
  api,
  clusterId,
  warn,
  changed,
  spaceChanged,
  frozen,
  silentMaxMs,
}: Options) {
  const places = new Map<ServiceKey, Place>();
  const spaces = new Map<string | undefined, Space>();
  const events = new Map<string, Map<string, EventView>>();
  let counter = 0;

  const placeOf = (key: ServiceKey): Place => {
    const known = places.get(key);
    if (known) return known;
    const place = {
      objects: new Map<ManifestRef, OwnedObject>(),
      pods: new Map<string, PodView>(),
      replicaSets: new Map<string, ReplicaSetView>(),
      jobs: new Map<string, JobView>(),
      revision: ++counter,
      seen: ++counter,
    };
    places.set(key, place);
    return place;
  };
  const touch = (key: ServiceKey, isStructure: boolean): void => {
    const place = placeOf(key);
    place.seen = ++counter;
    if (isStructure) place.revision = counter;
    const isEmpty = [place.objects, place.pods, place.replicaSets, place.jobs].every(
      ({ size }) => size === 0,
    );
    if (isEmpty) places.delete(key);
    changed(key);
  };
  const spaceOf = (object: OwnedObject): string | undefined =>
    object.kind === "Namespace" ? object.name : object.projectId === undefined ? undefined : object.namespace;

  const ownedChanged = (after: OwnedObject | undefined, before: OwnedObject | undefined): void => {
    if (before && (!after || before.key !== after.key || spaceOf(before) !== spaceOf(after)))
      forgetOwned(before);
    if (!after) return;
    if (after.key) {
      placeOf(after.key).objects.set(after.ref, after);
      return touch(after.key, true);
    }
    const namespace = spaceOf(after);
    const space = spaces.get(namespace) ?? { objects: new Map<ManifestRef, OwnedObject>(), revision: 0 };
    spaces.set(namespace, space);
    space.objects.set(after.ref, after);
    space.revision = ++counter;
    spaceChanged(namespace);
  };
  const forgetOwned = (object: OwnedObject): void => {
    if (object.key) {
      placeOf(object.key).objects.delete(object.ref);
      return touch(object.key, true);
    }
    const namespace = spaceOf(object);
    const space = spaces.get(namespace);
    if (!space?.objects.delete(object.ref)) return;
    space.revision = ++counter;
    if (space.objects.size === 0) spaces.delete(namespace);
    spaceChanged(namespace);
  };
  /** For what belongs to a place and is not applied: pods, ReplicaSets and Jobs. */
  const partChanged =
    <T extends { readonly key: ServiceKey; readonly uid: string }>(
      partsOf: (place: Place) => Map<string, T>,
      isStructure: (after: T | undefined, before: T | undefined) => boolean,
    ) =>
    (after: T | undefined, before: T | undefined): void => {
      if (before && before.uid !== after?.uid) events.delete(before.uid);
      if (before && (before.uid !== after?.uid || before.key !== after.key)) {
        partsOf(placeOf(before.key)).delete(before.uid);
        if (before.key !== after?.key) touch(before.key, true);
      }
      if (!after) return;
      partsOf(placeOf(after.key)).set(after.uid, after);
      touch(after.key, isStructure(after, before));
    };
  const eventChanged = (after: EventView | undefined, before: EventView | undefined): void => {
    const event = after ?? before;
    if (!event) return;
    const of = events.get(event.uid) ?? new Map<string, EventView>();
    const slot = event.reason + (event.reason === "Unhealthy" ? event.message.split(" ")[0] : "");
    if (after && (of.get(slot)?.atMs ?? 0) <= after.atMs) of.set(slot, after);
    else if (!after && of.get(slot) === before) of.delete(slot);
    if (of.size > 0) events.set(event.uid, of);
    else events.delete(event.uid);
    const name = `${event.namespace}/${event.name}`;
    const key = pods.get(name)?.key ?? replicaSets.get(name)?.key ?? jobs.get(name)?.key;
    if (after && key) touch(key, false);
  };

  const open = <T>(
    { resource, isWhole = false, namespace, ...kind }: OwnedKind,
    trim: (object: KubeObject) => T | undefined,
    told: (after: T | undefined, before: T | undefined) => void,
    selection: { readonly labelSelector?: string; readonly fieldSelector?: string } = {
      labelSelector: managedBySelector,
    },
  ): Informer<T> =>
    openInformer<T>(api, {
      resource,
      kind,
      selection: { ...selection, namespace, metadataOnly: !isWhole, pageSize: 250 },
      trim,
      changed: told,
      warn,
      frozen: () => frozen(resource),
      ...(silentMaxMs === undefined ? {} : { silentMaxMs }),
    });
  const ours =
    <T>(view: (object: KubeObject) => T | undefined) =>
    (object: KubeObject): T | undefined =>
      isOfCluster(object, clusterId) ? view(object) : undefined;

  const bodies: Readonly<Record<string, (object: KubeObject) => OwnedObject>> = {
    [deploymentKind.kind]: deploymentView,
    [cronJobKind.kind]: cronJobView,
    [configMapKind.kind]: configMapView,
  };
  const owned = new Map(
    appliedKinds.map((each) => [each.kind, open(each, ours(bodies[each.kind] ?? ownedObject), ownedChanged)]),
  );
  const replicaSets = open<ReplicaSetView>(
    replicaSetKind,
    ours(replicaSetView),
    partChanged(
      (place) => place.replicaSets,
      () => true,
    ),
  );
  const jobs = open<JobView>(
    jobKind,
    ours(jobView),
    partChanged(
      (place) => place.jobs,
      () => true,
    ),
  );
  const pods = open<PodView>(
    podKind,
    ours(podView),
    partChanged(
      (place) => place.pods,
      (after, before) => !after || !before || after.isGoing !== before.isGoing,
    ),
  );
  const nodes = open<NodeView>(
    { apiVersion: "v1", kind: "Node", resource: "nodes", isWhole: true },
    nodeView,
    () => undefined,
    {},
  );
  const warnings = open<EventView>(
    { apiVersion: "v1", kind: "Event", resource: "events", isWhole: true },
    eventView,
    eventChanged,
    { fieldSelector: "type=Warning" },
  );
  // A kubelet that ends what fails its probes finds that quite normal.
  const killings = open<EventView>(
    { apiVersion: "v1", kind: "Event", resource: "events-killing", isWhole: true },
    eventView,
    eventChanged,
    { fieldSelector: "reason=Killing" },
  );
  const informers: readonly Informer<unknown>[] = [
    ...owned.values(),
    replicaSets,
    jobs,
    pods,
    nodes,
    warnings,
    killings,
  ];

  return {
    informers,
    get isSynced() {
      return informers.every(({ isSynced }) => isSynced);
    },
    synced: async (): Promise<void> => void (await Promise.all(informers.map((each) => each.synced()))),
    place: (key: ServiceKey): Place | undefined => places.get(key),
    places: (): Iterable<readonly [ServiceKey, Place]> => places,
    space: (namespace: string | undefined): Space | undefined => spaces.get(namespace),
    eventsOf: (uid: string): readonly EventView[] => [...(events.get(uid)?.values() ?? [])],
    pods: (): Iterable<PodView> => pods.values(),
    get podsHeardAtMs() {
      return pods.lastEventAtMs;
    },
    /** Of a namespace: what shares its quota. */
    *podsIn(namespace: string): Iterable<PodView> {
      for (const pod of pods.values()) if (pod.namespace === namespace) yield pod;
    },
    nodes: (): Iterable<NodeView> => nodes.values(),
    /** What a write was answered with; answers what is kept of it. */
    learn: ({ kind }: KindRef, object: KubeObject): OwnedObject | undefined => owned.get(kind)?.learn(object),
    async [Symbol.asyncDispose]() {
      await Promise.all(informers.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
