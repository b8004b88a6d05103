import type { KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { Id, Tier } from "@starform/contract/names";
import { z } from "zod";
import type { Capacity, PodUsage, RunningPod } from "../../core/cluster.ts";
import { partsOf } from "../../core/service-key.ts";
import { managedBySelector } from "./manifests/labels.ts";
import { amountOf, bytesOf } from "./view/amounts.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import type { PodView } from "./view/pod-view.ts";

const tenantOf = (pod: PodView) => ({ podId: pod.name, workspaceId: pod.workspaceId, ...partsOf(pod.key) });

/** What the labels of a pod must say, or Starbase takes no snapshot of the whole batch that it is in. */
const Metered = z.object({ workspaceId: Id, projectId: Id, serviceId: Id, tier: Tier });

/**
 * Pods that run, from the informer's own store: each once, with what it asks for. One that ends runs until it is gone, and no
 * longer than it may: on a node that is away it is never gone. One that is cut off is left out until it is heard of again. One
 * whose labels somebody changed to what says nothing is left out, and told once.
 */
export function podMeter(view: ClusterView, nobodys: (pod: PodView) => void) {
  const judged = new WeakMap<PodView, boolean>();
  const isSomebodys = (pod: PodView): boolean => {
    const known = judged.get(pod);
    if (known !== undefined) return known;
    const is = Metered.safeParse({ ...tenantOf(pod), tier: pod.tier }).success;
    judged.set(pod, is);
    if (!is) nobodys(pod);
    return is;
  };
  return (nowMs: number): readonly RunningPod[] =>
    [...view.pods()]
      .filter(
        ({ phase, isCutOff, endsByMs = nowMs }) => phase === "Running" && !isCutOff && endsByMs >= nowMs,
      )
      .filter(isSomebodys)
      .map((pod) => ({
        ...tenantOf(pod),
        tier: pod.tier,
        phase: pod.phase,
        cpuRequestMillis: pod.cpuMillis,
        memoryRequestBytes: pod.memoryBytes,
        startedAtMs: pod.ranSinceMs,
      }));
}

/** How full the cluster is: what its ready nodes have to give, and what the apps' pods ask for, placed or not. */
export function capacityOf(view: ClusterView): Capacity {
  const nodes = [...view.nodes()].filter(({ isReady }) => isReady);
  const pods = [...view.pods()].filter(({ phase }) => phase === "Running" || phase === "Pending");
  return {
    podCount: pods.length,
    nodes: nodes.length,
    cpuAllocatableMillis: sum(nodes, ({ cpuMillis }) => cpuMillis),
    memoryAllocatableBytes: sum(nodes, ({ memoryBytes }) => memoryBytes),
    cpuRequestedMillis: sum(pods, ({ cpuMillis }) => cpuMillis),
    memoryRequestedBytes: sum(pods, ({ memoryBytes }) => memoryBytes),
  };
}

type PodMetrics = {
  readonly timestamp: string;
  readonly containers?: readonly { readonly usage?: { readonly cpu?: string; readonly memory?: string } }[];
};
const podMetrics = { apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetrics" };

/**
 * What each instance uses, from metrics-server. It tells how busy a pod was and not for how long, so the seconds are
 * added up here, from the first look of this process. A cluster without metrics-server answers nothing.
 */
export function usageMeter(api: KubeApi, view: ClusterView) {
  const spent = new Map<string, { readonly seconds: number; readonly atMs: number }>();
  const secondsOf = (pod: PodView, cores: number, atMs: number): number => {
    const before = spent.get(pod.uid);
    const passedMs = before ? Math.max(0, atMs - before.atMs) : 0;
    const seconds = (before?.seconds ?? 0) + (cores * passedMs) / 1_000;
    spent.set(pod.uid, { seconds, atMs: Math.max(atMs, before?.atMs ?? 0) });
    return seconds;
  };
  return async (): Promise<readonly PodUsage[]> => {
    const pods = new Map([...view.pods()].map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
    const present = new Set([...pods.values()].map(({ uid }) => uid));
    for (const uid of spent.keys()) if (!present.has(uid)) spent.delete(uid);
    const { items } = await api
      .list(podMetrics, { labelSelector: managedBySelector })
      .catch((error: unknown) => {
        if (isKubeError(error, 404, 503)) return { items: [] };
        throw error;
      });
    return items.flatMap((item): PodUsage[] => {
      const pod = pods.get(`${item.metadata.namespace ?? ""}/${item.metadata.name}`);
      const { timestamp, containers = [] } = item as unknown as PodMetrics;
      if (!pod) return [];
      const cores = sum(containers, ({ usage }) => amountOf(usage?.cpu));
      return [
        {
          ...tenantOf(pod),
          cpuSeconds: secondsOf(pod, cores, Date.parse(timestamp)),
          memoryWorkingSetBytes: sum(containers, ({ usage }) => bytesOf(usage?.memory)),
        },
      ];
    });
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
