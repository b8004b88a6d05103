import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import { partsOf, type Controller, type Reconciling } from "./controller.ts";
import { rejectionOf } from "./node-fit.ts";
import { withCondition } from "./pod-state.ts";

/** Places pods on nodes that have room for what they ask for, the emptiest first. */
export function openScheduler(): Controller {
  const waiting = new Set<string>();
  return {
    name: "default-scheduler",
    manager: "kube-scheduler",
    keysOf: (event) => {
      const isPod = event.resource === "pods";
      const isFreed =
        isPod &&
        (event.object === undefined ||
          ["Succeeded", "Failed"].includes(String(statusOf(event.object)["phase"])));
      if (event.resource === "nodes" || isFreed || event.resource === "persistentvolumeclaims")
        return [...waiting];
      return isPod &&
        event.object &&
        specOf(event.object)["nodeName"] === undefined &&
        event.previous === undefined
        ? [event.key]
        : [];
    },
    reconcile: (key, context) => {
      const [namespace, name] = partsOf(key);
      const pod = context.cluster.store.get("pods", namespace, name);
      waiting.delete(key);
      if (!pod || specOf(pod)["nodeName"] !== undefined || pod.metadata.deletionTimestamp !== undefined)
        return;
      if (!place(pod, context)) waiting.add(key);
    },
  };
}

function place(pod: Stored, context: Reconciling): boolean {
  const { cluster, actor, now } = context;
  const nodes = cluster.store.list("nodes");
  const claim = unboundClaim(pod, context);
  const verdicts = nodes.map((node) => [node, rejectionOf(pod, node, cluster)] as const);
  const fitting =
    claim === undefined ? verdicts.filter(([, why]) => why.length === 0).map(([node]) => node) : [];
  const best = fitting.toSorted(
    (a, b) => cluster.nodes.load(a.metadata.name) - cluster.nodes.load(b.metadata.name),
  )[0];
  if (best) {
    bindPod(pod, best.metadata.name, context);
    actor.tell(pod, {
      reason: "Scheduled",
      message: `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${best.metadata.name}`,
    });
    return true;
  }
  const message =
    claim === undefined
      ? unschedulable(
          nodes.length,
          verdicts.flatMap(([, why]) => why),
        )
      : `0/${nodes.length} nodes are available: ${claim}.`;
  const conditions = withCondition(
    asObjects(statusOf(pod)["conditions"]),
    { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastProbeTime: null },
    timestamp(now()),
  );
  actor.status(pod, { ...statusOf(pod), conditions });
  actor.tell(pod, { type: "Warning", reason: "FailedScheduling", message });
  return false;
}

/** `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. …` */
function unschedulable(total: number, reasons: readonly string[]): string {
  if (total === 0) return "no nodes available to schedule pods";
  const counts = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, all]) => `${all.length} ${reason}`,
  );
  const isRoomMissing = reasons.some(
    (reason) => reason.startsWith("Insufficient") || reason === "Too many pods",
  );
  const preemption = isRoomMissing
    ? `No preemption victims found for incoming pod`
    : "Preemption is not helpful for scheduling";
  return `0/${total} nodes are available: ${counts.toSorted().join(", ")}. no new claims to deallocate, preemption: 0/${total} nodes are available: ${total} ${preemption}.`;
}

function unboundClaim(pod: Stored, { cluster }: Reconciling): string | undefined {
  for (const { persistentVolumeClaim } of asObjects(specOf(pod)["volumes"])) {
    if (persistentVolumeClaim === undefined) continue;
    const name = String((persistentVolumeClaim as { claimName?: string }).claimName);
    const claim = cluster.store.get("persistentvolumeclaims", pod.metadata.namespace, name);
    if (!claim) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
    if (statusOf(claim)["phase"] !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
  }
  return undefined;
}

/** A binding is a write of its own: it sets the node and the condition at once. */
export function bindPod(
  pod: Stored,
  nodeName: string,
  { cluster, now }: Pick<Reconciling, "cluster" | "now">,
): void {
  const conditions = withCondition(
    asObjects(statusOf(pod)["conditions"]),
    { type: "PodScheduled", status: "True", lastProbeTime: null },
    timestamp(now()),
  );
  const scheduled = conditions.map(({ reason, message, ...rest }) =>
    rest["type"] === "PodScheduled"
      ? rest
      : { ...rest, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) },
  );
  cluster.store.write("pods", {
    ...pod,
    spec: { ...specOf(pod), nodeName },
    status: { ...statusOf(pod), conditions: scheduled },
  });
}
