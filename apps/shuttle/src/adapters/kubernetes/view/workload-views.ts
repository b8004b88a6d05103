import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { ServiceKey } from "../../../core/service-key.ts";
import { instanceChecksumAnnotation } from "../manifests/annotations.ts";
import { prefix } from "../manifests/labels.ts";
import { runningTemplateOf, type RunningTemplate } from "../manifests/running-template.ts";
import { annotationOf, interned, keyOfLabels, ownedObject, type OwnedObject } from "./owned-object.ts";

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
};
type Template = Parameters<typeof runningTemplateOf>[0];
type PodSpec = {
  readonly containers?: readonly {
    readonly envFrom?: readonly Readonly<Record<string, { readonly name?: string } | undefined>>[];
  }[];
};

/** Of a thousand templates the pods end in a few ways. */
function templateOf(object: Template): RunningTemplate | undefined {
  const template = runningTemplateOf(object);
  return template && { ...template, ending: interned(template.ending) };
}

/** Names of ConfigMaps and Secrets, `Kind/name`, that pods of this template cannot start without. */
export type Sources = readonly string[];

export type DeploymentView = OwnedObject & {
  readonly generation: number;
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly conditions: readonly Condition[];
  readonly template: RunningTemplate | undefined;
  readonly sources: Sources;
};

export function deploymentView(object: KubeObject): DeploymentView {
  const { spec, status } = object as unknown as {
    spec: { replicas?: number; template?: { spec?: PodSpec } };
    status?: {
      observedGeneration?: number;
      readyReplicas?: number;
      conditions?: readonly Partial<Condition>[];
    };
  };
  return {
    ...ownedObject(object),
    generation: object.metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    replicas: spec.replicas ?? 1,
    readyReplicas: status?.readyReplicas ?? 0,
    conditions: conditionsOf(status?.conditions),
    template: templateOf(object as Template),
    sources: sourcesOf(spec.template?.spec),
  };
}

export type ReplicaSetView = {
  readonly key: ServiceKey;
  readonly name: string;
  readonly uid: string;
  /** Of what its pods are made from. */
  readonly checksum: string | undefined;
  readonly template: RunningTemplate | undefined;
  readonly replicas: number;
  readonly conditions: readonly Condition[];
  readonly sources: Sources;
};

export function replicaSetView(object: KubeObject): ReplicaSetView | undefined {
  const key = keyOfLabels(object);
  if (!key) return undefined;
  const { spec, status } = object as unknown as {
    spec: { replicas?: number; template?: { spec?: PodSpec; metadata?: KubeObject["metadata"] } };
    status?: { conditions?: readonly Partial<Condition>[] };
  };
  return {
    key,
    name: object.metadata.name,
    uid: object.metadata.uid ?? "",
    checksum: spec.template?.metadata?.annotations?.[instanceChecksumAnnotation],
    template: templateOf(object as Template),
    replicas: spec.replicas ?? 0,
    conditions: conditionsOf(status?.conditions),
    sources: sourcesOf(spec.template?.spec),
  };
}

export type CronJobView = OwnedObject & {
  readonly schedule: string;
  readonly deploymentId: string | undefined;
  readonly createdAtMs: number;
  readonly sources: Sources;
};

export function cronJobView(object: KubeObject): CronJobView {
  const { spec } = object as unknown as {
    spec: { schedule?: string; jobTemplate?: { spec?: { template?: { spec?: PodSpec } } } };
  };
  return {
    ...ownedObject(object),
    schedule: spec.schedule ?? "",
    deploymentId: annotationOf(object, "deployment-id"),
    createdAtMs: Date.parse(object.metadata.creationTimestamp ?? "") || 0,
    sources: sourcesOf(spec.jobTemplate?.spec?.template?.spec),
  };
}

/** On a Job: why Shuttle ended it. */
export const endedBecause = "ended-because";

export type JobView = {
  readonly key: ServiceKey;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly scheduledFor: string;
  /** The deployment that its pods are of. */
  readonly deploymentId: string | undefined;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly outcome: "running" | "succeeded" | "failed";
  readonly message: string;
  /** Why it was ended before it began, if it was. */
  readonly endedBecause: string | undefined;
  readonly sources: Sources;
};

const scheduledTimestamp = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export function jobView(object: KubeObject): JobView | undefined {
  const key = keyOfLabels(object);
  const scheduledFor = scheduledTimeOf(object);
  if (!key || !scheduledFor) return undefined;
  const { spec, status } = object as unknown as {
    spec: { template?: { spec?: PodSpec; metadata?: KubeObject["metadata"] } };
    status?: {
      startTime?: string;
      completionTime?: string;
      conditions?: readonly (Partial<Condition> & { lastTransitionTime?: string })[];
    };
  };
  const ended = status?.conditions?.find(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
  return {
    key,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? "",
    uid: object.metadata.uid ?? "",
    scheduledFor,
    deploymentId: spec.template?.metadata?.annotations?.[`${prefix}deployment-id`],
    startedAt: status?.startTime ?? null,
    endedAt: ended ? (status?.completionTime ?? ended.lastTransitionTime ?? null) : null,
    outcome: !ended ? "running" : ended.type === "Complete" ? "succeeded" : "failed",
    message: ended?.message ?? "",
    endedBecause: annotationOf(object, endedBecause),
    sources: sourcesOf(spec.template?.spec),
  };
}

/** Since 1.28 the controller writes the hour down; before, it is the end of the name, in minutes. */
function scheduledTimeOf({ metadata }: KubeObject): string | undefined {
  const told = Date.parse(metadata.annotations?.[scheduledTimestamp] ?? "");
  const minutes = Number(/-(\d{7,9})$/.exec(metadata.name)?.[1] ?? Number.NaN);
  const ms = Number.isNaN(told) ? minutes * 60_000 : told;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

const conditionsOf = (conditions: readonly Partial<Condition>[] = []): readonly Condition[] =>
  conditions.map(({ type = "", status = "", reason = "", message = "" }) => ({
    type: interned(type),
    status: interned(status),
    reason: interned(reason),
    message,
  }));

function sourcesOf(spec: PodSpec | undefined): Sources {
  const named = (spec?.containers ?? []).flatMap(({ envFrom = [] }) =>
    envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...(configMapRef?.name ? [`ConfigMap/${configMapRef.name}`] : []),
      ...(secretRef?.name ? [`Secret/${secretRef.name}`] : []),
    ]),
  );
  return named.map(interned);
}
