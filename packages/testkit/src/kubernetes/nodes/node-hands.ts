import { actorOf } from "../controllers/actor.ts";
import { withCondition } from "../controllers/pod-state.ts";
import type { Cluster } from "../cluster.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, put, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";

const unreachable = ["NoSchedule", "NoExecute"].map((effect) => ({
  key: "node.kubernetes.io/unreachable",
  effect,
}));

/** A node that stops answering, and one that comes back. */
export type NodeHands = {
  /** Its pods are no longer ready, and after five minutes are to be deleted, which nobody there does. */
  fail(name: string): void;
  recover(name: string): void;
};

export function nodeHands(cluster: Cluster): NodeHands {
  const actor = actorOf(cluster, "kube-controller-manager", "node-controller");
  const nodeOf = (name: string): Stored => {
    const node = cluster.store.get("nodes", undefined, name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  };
  const podsOn = (name: string): readonly Stored[] =>
    cluster.store.list("pods").filter((pod) => specOf(pod)["nodeName"] === name);
  const say = (object: Stored, condition: JsonObject & { type: string; status: string }): void => {
    const conditions = withCondition(
      asObjects(statusOf(object)["conditions"]),
      condition,
      timestamp(cluster.clock.now()),
    );
    actor.status(object, { ...statusOf(object), conditions });
  };
  /** Pods that tolerate it for so long, or not at all, are sent away. */
  const evictFrom = (name: string): void => {
    if (!cluster.nodes.isDown(name)) return;
    for (const pod of podsOn(name)) if (pod.metadata.deletionTimestamp === undefined) actor.remove(pod);
  };
  const taints = (node: Stored): readonly JsonObject[] =>
    asObjects(specOf(node)["taints"]).filter(({ key }) => key !== "node.kubernetes.io/unreachable");

  return {
    fail: (name) => {
      cluster.nodes.setDown(name, true);
      const node = nodeOf(name);
      actor.update(node, put(node, ["spec", "taints"], [...taints(node), ...unreachable]));
      say(nodeOf(name), {
        type: "Ready",
        status: "Unknown",
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
      });
      // Whether its containers are ready is the kubelet's to say: that stays.
      for (const pod of podsOn(name)) {
        say(pod, { type: "Ready", status: "False" });
        actor.tell(pod, { type: "Warning", reason: "NodeNotReady", message: "Node is not ready" });
      }
      cluster.clock.after(300_000, () => evictFrom(name));
    },
    recover: (name) => {
      cluster.nodes.setDown(name, false);
      const node = nodeOf(name);
      actor.update(node, put(node, ["spec", "taints"], taints(node).length > 0 ? taints(node) : undefined));
      say(nodeOf(name), {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "kubelet is posting ready status",
      });
      // A write of each pod wakes its kubelet, which then says how it really is.
      for (const pod of podsOn(name))
        say(pod, { type: "Ready", status: "False", reason: "KubeletRecovering" });
    },
  };
}
