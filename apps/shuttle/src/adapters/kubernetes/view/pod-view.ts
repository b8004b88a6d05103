import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { RunningPod } from "../../../core/cluster.ts";
import type { ServiceKey } from "../../../core/service-key.ts";
import { appContainerName } from "../manifests/names.ts";
import { bytesOf, millisOf } from "./amounts.ts";
import { annotationOf, interned, keyOfLabels, labelOf } from "./owned-object.ts";

/** How a run of a container ended. */
export type PodEnding = {
  /** Which run of the container it was, the first being 1. */
  readonly run: number;
  readonly endedAtMs: number | undefined;
  readonly exitCode: number;
  readonly signal: number;
  readonly reason: string;
  /** The end of its output, which the kubelet keeps of one that failed. */
  readonly message: string;
  readonly ranForMs: number;
};

export type PodView = {
  readonly key: ServiceKey;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly checksum: string | undefined;
  readonly deploymentId: string | undefined;
  /** What the app's container is made from. */
  readonly image: string;
  /** The numeric user that it runs as, whatever its image says. */
  readonly userId: number | undefined;
  readonly workspaceId: string;
  readonly tier: RunningPod["tier"];
  /** The ReplicaSet or Job it belongs to. */
  readonly ownerUid: string | undefined;
  readonly phase: string;
  readonly isGoing: boolean;
  /** None of its containers runs, nor will again. */
  readonly isOver: boolean;
  /** How long it has to end, of one that is going. */
  readonly graceSeconds: number | undefined;
  /** By when it is to have ended, of one that is going. */
  readonly endsByMs: number | undefined;
  /** Nothing is heard of its node: what it does now, nobody knows. */
  readonly isCutOff: boolean;
  /** Why its node put it out. */
  readonly evicted: string | undefined;
  readonly isReady: boolean;
  /** Of one that is not ready, since when. */
  readonly unreadySinceMs: number | undefined;
  /** The scheduler's words for why there is no node for it. */
  readonly unschedulable: string | undefined;
  readonly restarts: number;
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly startedAtMs: number | undefined;
  /** The earliest start that is told, of this run or the one before: it has run since then at least. */
  readonly ranSinceMs: number | undefined;
  /** Of the present run if it is over, else of the one before. */
  readonly ending: PodEnding | undefined;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
};

type State = {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode?: number;
    readonly signal?: number;
    readonly reason?: string;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
};
type Raw = {
  readonly spec?: {
    readonly securityContext?: { readonly runAsUser?: number };
    readonly containers?: readonly {
      readonly name?: string;
      readonly image?: string;
      readonly resources?: { readonly requests?: Readonly<Record<string, unknown>> };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      type?: string;
      status?: string;
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name?: string;
      readonly restartCount?: number;
      readonly state?: State;
      readonly lastState?: State;
    }[];
  };
};

/** Undefined for a pod that belongs to no service. */
export function podView(object: KubeObject): PodView | undefined {
  const key = keyOfLabels(object);
  if (!key) return undefined;
  const { spec, status } = object as unknown as Raw;
  const { name, namespace = "", uid = "", deletionTimestamp, ownerReferences } = object.metadata;
  const { deletionGracePeriodSeconds } = object.metadata as { deletionGracePeriodSeconds?: number };
  const app =
    status?.containerStatuses?.find((each) => each.name === appContainerName) ??
    status?.containerStatuses?.[0];
  const containers = spec?.containers ?? [];
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const [scheduled, ready] = [condition("PodScheduled"), condition("Ready")];
  const requests = containers.map(({ resources }) => resources?.requests ?? {});
  const waiting = app?.state?.waiting;
  const restarts = app?.restartCount ?? 0;
  const checksum = annotationOf(object, "instance-checksum");
  return {
    key,
    name,
    namespace: interned(namespace),
    uid,
    checksum: checksum && interned(checksum),
    deploymentId: annotationOf(object, "deployment-id"),
    image: interned(
      (containers.find((each) => each.name === appContainerName) ?? containers[0])?.image ?? "",
    ),
    userId: spec?.securityContext?.runAsUser,
    workspaceId: interned(labelOf(object, "workspace-id") ?? ""),
    tier: interned(labelOf(object, "tier") ?? "mininova") as RunningPod["tier"],
    ownerUid: ownerReferences?.[0]?.uid,
    phase: interned(status?.phase ?? "Unknown"),
    isGoing: Boolean(deletionTimestamp),
    isOver: status?.phase === "Succeeded" || status?.phase === "Failed",
    graceSeconds: deletionTimestamp ? deletionGracePeriodSeconds : undefined,
    endsByMs: msOf(deletionTimestamp ?? undefined),
    // Only the node controller calls a pod not ready whose containers are.
    isCutOff: ready?.status === "False" && condition("ContainersReady")?.status === "True",
    evicted: status?.reason === "Evicted" ? (status.message ?? "") : undefined,
    isReady: !deletionTimestamp && ready?.status === "True",
    unreadySinceMs: ready?.status === "False" ? msOf(ready.lastTransitionTime) : undefined,
    unschedulable:
      scheduled?.status === "False" && scheduled.reason === "Unschedulable"
        ? (scheduled.message ?? "")
        : undefined,
    restarts,
    waiting: waiting && { reason: interned(waiting.reason ?? ""), message: waiting.message ?? "" },
    startedAtMs: msOf(app?.state?.running?.startedAt),
    ranSinceMs: earliest(
      app?.state?.running?.startedAt,
      app?.state?.terminated?.startedAt,
      app?.lastState?.terminated?.startedAt,
    ),
    ending: endingOf(app?.state, restarts + 1) ?? endingOf(app?.lastState, restarts),
    cpuMillis: requests.reduce((sum, { cpu }) => sum + millisOf(cpu), 0),
    memoryBytes: requests.reduce((sum, { memory }) => sum + bytesOf(memory), 0),
  };
}

function endingOf(state: State | undefined, run: number): PodEnding | undefined {
  const ended = state?.terminated;
  // Nobody saw it: one that was still being made when it was to end, or that its node came back without.
  if (!ended || ended.reason === "ContainerStatusUnknown") return undefined;
  const [from, to] = [msOf(ended.startedAt), msOf(ended.finishedAt)];
  return {
    run,
    endedAtMs: to,
    exitCode: ended.exitCode ?? 0,
    signal: ended.signal ?? 0,
    reason: interned(ended.reason ?? ""),
    message: ended.message ?? "",
    ranForMs: from === undefined || to === undefined ? 0 : Math.max(0, to - from),
  };
}

const earliest = (...times: readonly (string | undefined)[]): number | undefined =>
  times
    .map(msOf)
    .filter((ms) => ms !== undefined)
    .toSorted((a, b) => a - b)[0];

/** The first second of 1970 is never: so a container that could not be started is told to have begun. */
const msOf = (time: string | undefined): number | undefined => {
  const ms = Date.parse(time ?? "");
  return ms > 0 ? ms : undefined;
};
