import { specOf } from "../kinds/in-spec.ts";
import { asMap, asObject, asObjects } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { safeHash } from "../model/random-name.ts";
import { canonicalJson } from "../apply/path-elements.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { rejectionOf } from "./node-fit.ts";
import { controlled } from "./owned.ts";
import { podOf } from "./pod-of.ts";
import { isActive, isReady } from "./pod-state.ts";

const revisionLabel = "controller-revision-hash";
const tolerated = [
  "not-ready",
  "unreachable",
  "disk-pressure",
  "memory-pressure",
  "pid-pressure",
  "unschedulable",
];

/** Daemon sets: one pod on each node that the template may run on. */
export const daemonSets: Controller = {
  name: "daemonset-controller",
  manager: "kube-controller-manager",
  keysOf: (event, { store }) => {
    if (event.resource === "nodes")
      return store.list("daemonsets.apps").map(({ metadata }) => keyOf(metadata));
    return event.resource === "pods" ? ownerKeys(event, "DaemonSet") : own("daemonsets.apps")(event);
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const set = context.cluster.store.get("daemonsets.apps", namespace, name);
    if (set) sync(set, context);
  },
};

/** The node a pod is on. */
const nodeOf = (pod: Stored): string => String(specOf(pod)["nodeName"] ?? "");

function sync(set: Stored, context: Reconciling): void {
  const { cluster, actor } = context;
  const hash = safeHash(canonicalJson(specOf(set)["template"]));
  const template = asObject(specOf(set)["template"]);
  const tolerations = tolerated.map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: "Exists",
    effect: name === "not-ready" || name === "unreachable" ? "NoExecute" : "NoSchedule",
  }));
  const pods = controlled(set, "pods", cluster);
  const spec = asObject(template["spec"]);
  const placeable = {
    ...set,
    spec: { ...spec, tolerations: [...asObjects(spec["tolerations"]), ...tolerations] },
  } as Stored;
  const nodes = cluster.store
    .list("nodes")
    .filter(
      (node) =>
        pods.some((pod) => nodeOf(pod) === node.metadata.name) ||
        rejectionOf(placeable, node, cluster).length === 0,
    );
  if (set.metadata.deletionTimestamp === undefined) {
    const stale = pods.filter((pod) => isActive(pod) && pod.metadata.labels?.[revisionLabel] !== hash);
    const isSteady = pods.every((pod) => isActive(pod) && isReady(pod));
    if (stale[0] && isSteady) actor.remove(stale[0]);
    for (const node of nodes) {
      if (pods.some((pod) => nodeOf(pod) === node.metadata.name)) continue;
      const labels = { ...asMap(asObject(template["metadata"])["labels"]), [revisionLabel]: hash };
      const pod = podOf(template, set, { labels });
      // It is placed by the scheduler in a real cluster, by an affinity that fits one node only; the outcome is the same.
      const made = actor.create({
        ...pod,
        spec: { ...(placeable["spec"] as object), nodeName: node.metadata.name },
      });
      actor.tell(set, { reason: "SuccessfulCreate", message: `Created pod: ${made.metadata.name}` });
    }
  }
  tell(set, { wanted: nodes.length, hash }, context);
}

function tell(
  set: Stored,
  { wanted, hash }: { readonly wanted: number; readonly hash: string },
  { cluster, actor }: Reconciling,
): void {
  const pods = controlled(set, "pods", cluster).filter(isActive);
  const ready = pods.filter(isReady).length;
  const unavailable = wanted - ready;
  actor.status(set, {
    currentNumberScheduled: pods.length,
    numberMisscheduled: 0,
    desiredNumberScheduled: wanted,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === hash).length,
    ...(ready > 0 && { numberAvailable: ready }),
    ...(unavailable > 0 && { numberUnavailable: unavailable }),
  });
}
