import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { nameOf } from "./ownership.ts";
import { whyPodsWait } from "./why-pods-wait.ts";

/** What an object is still missing, as a sentence; `isFinal`: waiting will not help. */
export type Missing = { readonly sentence: string; readonly isFinal: boolean };
type Condition = {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly reason?: string;
};
type Status = {
  readonly conditions?: readonly Condition[];
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
};

/** Which condition says that an object of the kind does its work; kinds not named here are ready once they are kept. */
const conditions: Readonly<Record<string, string>> = {
  CustomResourceDefinition: "Established",
  APIService: "Available",
  GatewayClass: "Accepted",
};

/** Whether the cluster has made of an object what it says. Undefined: it has. */
export async function missingOf(
  kube: KubeApi,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<Missing | undefined> {
  const status = (object["status"] ?? {}) as Status;
  const condition = conditions[object.kind];
  if (condition) return lacking(object, status, condition);
  if (object.kind === "Job") return ofJob(object, status);
  if (object.kind === "Deployment") return ofPods(kube, object, deploymentLack(object, status), signal);
  if (object.kind === "DaemonSet") return ofPods(kube, object, daemonSetLack(object, status), signal);
  return undefined;
}

function lacking(object: KubeObject, status: Status, type: string): Missing | undefined {
  const found = status.conditions?.find((condition) => condition.type === type);
  if (found?.status === "True") return undefined;
  const why = found?.message ?? found?.reason ?? "nobody has looked at it yet";
  return { sentence: `${nameOf(object)} is not ${type.toLowerCase()}: ${why}`, isFinal: false };
}

function ofJob(object: KubeObject, { conditions: all = [] }: Status): Missing | undefined {
  const has = (type: string) =>
    all.find((condition) => condition.type === type && condition.status === "True");
  if (has("Complete")) return undefined;
  const failed = has("Failed");
  if (!failed) return { sentence: `${nameOf(object)} has not ended yet`, isFinal: false };
  const namespace = object.metadata.namespace ?? "";
  return {
    sentence: `${nameOf(object)} failed (${failed.message ?? failed.reason ?? "no reason given"}): read kubectl -n ${namespace} logs job/${object.metadata.name}, then delete the Job and start again`,
    isFinal: true,
  };
}

function deploymentLack(object: KubeObject, status: Status): string | undefined {
  const wanted = (object["spec"] as { replicas?: number } | undefined)?.replicas ?? 1;
  if (!isSeen(object, status)) return "its controller has not looked at it yet";
  if ((status.updatedReplicas ?? 0) < wanted || (status.replicas ?? 0) > wanted)
    return `${status.updatedReplicas ?? 0} of ${wanted} pods are of this version`;
  if ((status.availableReplicas ?? 0) < wanted)
    return `${status.availableReplicas ?? 0} of ${wanted} pods are ready`;
  return undefined;
}

function daemonSetLack(object: KubeObject, status: Status): string | undefined {
  const wanted = status.desiredNumberScheduled;
  if (wanted === undefined || !isSeen(object, status)) return "its controller has not looked at it yet";
  if ((status.updatedNumberScheduled ?? 0) < wanted || (status.numberAvailable ?? 0) < wanted)
    return `${status.numberAvailable ?? 0} of ${wanted} nodes have it`;
  return undefined;
}

/** A status of an older generation says nothing about what was applied last. */
const isSeen = ({ metadata: { generation = 0 } }: KubeObject, { observedGeneration = 0 }: Status): boolean =>
  observedGeneration >= generation;

async function ofPods(
  kube: KubeApi,
  object: KubeObject,
  lack: string | undefined,
  signal?: AbortSignal,
): Promise<Missing | undefined> {
  if (!lack) return undefined;
  const why = await whyPodsWait(kube, object, signal);
  return { sentence: `${nameOf(object)}: ${lack}${why ? ` (${why})` : ""}`, isFinal: false };
}
