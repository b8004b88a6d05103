import { actorOf } from "../controllers/actor.ts";
import type { Cluster } from "../cluster.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import type { PodBehaviour, PodMatch, Scripts } from "./behaviour.ts";

/** What a test can make pods do. */
export type PodHands = {
  /** Pods that fit behave so from now on, those already running as well; the answer takes it back. */
  script(match: PodMatch, behaviour: PodBehaviour): () => void;
  /** The container says these lines now. */
  say(
    pod: { readonly namespace: string; readonly name: string; readonly container: string },
    ...lines: readonly string[]
  ): void;
  /**
   * The kubelet throws the pod out because its node runs out of something, or it wrote too much; its containers end with the
   * code, of those killed. With 0 the pod has succeeded, and only an event tells; with `null` nobody saw them end.
   */
  evict(
    pod: { readonly namespace: string; readonly name: string },
    message?: string,
    code?: number | null,
  ): void;
};

const endedWith = (code: number) => ({ exitCode: code, reason: code === 0 ? "Completed" : "Error" });
const unseen = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
  startedAt: null,
  finishedAt: null,
};

export function podHands(cluster: Cluster, scripts: Scripts): PodHands {
  const podOf = (namespace: string, name: string): Stored => {
    const pod = cluster.store.get("pods", namespace, name);
    if (!pod) throw new Error(`there is no pod ${namespace}/${name}`);
    return pod;
  };
  return {
    script: (match, behaviour) => scripts.add(match, behaviour),
    say: ({ namespace, name, container }, ...lines) =>
      cluster.logs.say(podOf(namespace, name).metadata.uid ?? "", container, ...lines),
    evict: (
      { namespace, name },
      message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ",
      code = 137,
    ) => {
      const actor = actorOf(cluster, "kubelet");
      const pod = podOf(namespace, name);
      const time = timestamp(cluster.clock.now());
      const containerStatuses = asObjects(statusOf(pod)["containerStatuses"]).map((status) => ({
        ...status,
        ready: false,
        started: false,
        state: {
          terminated: code === null ? unseen : { ...endedWith(code), startedAt: time, finishedAt: time },
        },
      }));
      const conditions = asObjects(statusOf(pod)["conditions"]).map((condition) =>
        ["Ready", "ContainersReady"].includes(String(condition["type"]))
          ? {
              ...condition,
              status: "False",
              reason: code === 0 ? "PodCompleted" : "PodFailed",
              lastTransitionTime: time,
            }
          : condition,
      );
      const isOfNode = message.startsWith("The node was low");
      const used = `Container ${String(asObjects(specOf(pod)["containers"])[0]?.["name"])} was using more than its request.`;
      actor.tell(pod, {
        type: "Warning",
        reason: "Evicted",
        message: isOfNode ? `${message}${used}` : message,
      });
      actor.status(pod, {
        ...statusOf(pod),
        ...(code === 0 ? { phase: "Succeeded" } : { phase: "Failed", reason: "Evicted", message }),
        conditions,
        containerStatuses,
      });
    },
  };
}
