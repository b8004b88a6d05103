import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";

type Waiting = { readonly reason?: string; readonly message?: string };
type ContainerStatus = {
  readonly name: string;
  readonly ready?: boolean;
  readonly state?: { readonly waiting?: Waiting; readonly running?: object };
  readonly lastState?: { readonly terminated?: { readonly exitCode?: number; readonly message?: string } };
};
type PodStatus = {
  readonly phase?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
  }[];
  readonly containerStatuses?: readonly ContainerStatus[];
};
type Workload = {
  readonly spec?: { readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } };
  readonly status?: { readonly conditions?: PodStatus["conditions"] };
};

/** Why the pods of a workload are not ready, as the cluster tells it; undefined where it tells nothing. */
export async function whyPodsWait(
  kube: KubeApi,
  workload: KubeObject,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { spec, status } = workload as Workload;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {});
  if (labels.length === 0) return undefined;
  const { items } = await kube.list(
    { apiVersion: "v1", kind: "Pod" },
    {
      namespace: workload.metadata.namespace,
      labelSelector: labels.map(([name, value]) => `${name}=${value}`).join(","),
    },
    signal,
  );
  const refused = status?.conditions?.find(
    ({ type, status: is }) => type === "ReplicaFailure" && is === "True",
  );
  return items.map(whyPodWaits).find(Boolean) ?? refused?.message;
}

function whyPodWaits(pod: KubeObject): string | undefined {
  const status = (pod["status"] ?? {}) as PodStatus;
  const placed = status.conditions?.find(({ type }) => type === "PodScheduled");
  if (placed?.status === "False")
    return `${pod.metadata.name} has no node: ${placed.message ?? "no reason given"}`;
  return status.containerStatuses?.map(whyContainerWaits).find(Boolean);
}

function whyContainerWaits({ name, ready, state, lastState }: ContainerStatus): string | undefined {
  if (ready) return undefined;
  const { reason, message } = state?.waiting ?? {};
  const ended = lastState?.terminated;
  if (reason === "CrashLoopBackOff" && ended)
    return `container ${name} ends with code ${ended.exitCode ?? "?"}${ended.message ? `: ${ended.message.trim()}` : ""}`;
  if (reason && reason !== "ContainerCreating")
    return `container ${name}: ${reason}${message ? `, ${message}` : ""}`;
  return state?.running ? `container ${name} runs, and its probe has not passed yet` : undefined;
}
