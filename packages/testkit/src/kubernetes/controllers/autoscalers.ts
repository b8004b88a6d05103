import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, put, type JsonObject } from "../model/json.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";
import { own, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { replicasOf } from "./deployment-sets.ts";
import { controlled } from "./owned.ts";
import { isActive, withCondition } from "./pod-state.ts";

const resource = "horizontalpodautoscalers.autoscaling";
const everyMs = 15_000;
/** Within a tenth of the target nothing is scaled. */
const tolerance = 0.1;
const stabilizationMs = 300_000;

type Advice = { readonly at: number; readonly replicas: number };

/** Autoscalers: as many replicas as bring the pods' use of CPU and memory to the target, looked at every 15 s. */
export function openAutoscalers(): Controller {
  /** What was advised lately: replicas only go down to the most of the last five minutes. */
  const advised = new Map<string, readonly Advice[]>();
  return {
    name: "horizontal-pod-autoscaler",
    manager: "kube-controller-manager",
    keysOf: own(resource),
    reconcile: (key, context) => {
      const [namespace, name] = partsOf(key);
      const scaler = context.cluster.store.get(resource, namespace, name);
      const last = advised.get(key) ?? [];
      if (!scaler) return void advised.delete(key);
      const now = context.now().getTime();
      const soonest = (last.at(-1)?.at ?? 0) + everyMs;
      if (last.length > 0 && soonest > now) return;
      const advice = sync(scaler, last, context);
      advised.set(key, [
        ...last.filter(({ at }) => at > now - stabilizationMs),
        { at: now, replicas: advice },
      ]);
      context.later(keyOf(scaler.metadata), everyMs);
    },
  };
}

type Metric = {
  readonly name: string;
  readonly target: number;
  readonly current: number | undefined;
  readonly average: string;
};

function podsOf(target: Stored, { cluster }: Reconciling): readonly Stored[] {
  const sets = controlled(target, "replicasets.apps", cluster);
  return [
    ...controlled(target, "pods", cluster),
    ...sets.flatMap((set) => controlled(set, "pods", cluster)),
  ].filter(isActive);
}

function metricsOf(scaler: Stored, pods: readonly Stored[], { cluster }: Reconciling): readonly Metric[] {
  return asObjects(specOf(scaler)["metrics"]).flatMap(({ type, resource: of }) => {
    if (type !== "Resource") return [];
    const { name, target } = asObject(of);
    const shares = pods.flatMap(
      (pod) => cluster.metrics.utilization(pod, String(name), (text) => parseQuantity(text) ?? 0n) ?? [],
    );
    const current =
      shares.length > 0 ? shares.reduce((sum, share) => sum + share, 0) / shares.length : undefined;
    return [
      {
        name: String(name),
        target: Number(asObject(target)["averageUtilization"] ?? 80),
        current: current === undefined ? undefined : Math.round(current),
        average: "0",
      },
    ];
  });
}

/** How many replicas the metrics ask for: the most that one of them does. */
function wanted(metrics: readonly Metric[], current: number): number | undefined {
  const each = metrics.flatMap(({ current: share, target }) => {
    if (share === undefined) return [];
    const ratio = share / target;
    return [Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(current * ratio)];
  });
  return each.length > 0 ? Math.max(...each) : undefined;
}

function sync(scaler: Stored, last: readonly Advice[], context: Reconciling): number {
  const { cluster, actor, now } = context;
  const { scaleTargetRef, minReplicas, maxReplicas } = specOf(scaler);
  const { apiVersion, kind, name } = asObject(scaleTargetRef);
  const targetKind = cluster.registry.byKind(String(apiVersion), String(kind));
  const target =
    targetKind && cluster.store.get(targetKind.resource, scaler.metadata.namespace, String(name));
  const time = timestamp(now());
  if (!target) {
    tell(
      scaler,
      { current: 0, desired: 0, metrics: [] },
      [
        condition(
          "AbleToScale",
          "False",
          "FailedGetScale",
          `the HPA controller was unable to get the target's current scale: ${String(kind).toLowerCase()}s.apps ${JSON.stringify(name)} not found`,
        ),
      ],
      { actor, time },
    );
    return 0;
  }
  const current = replicasOf(target);
  const metrics = metricsOf(scaler, podsOf(target, context), context);
  const [least, most] = [Number(minReplicas ?? 1), Number(maxReplicas)];
  const asked = wanted(metrics, current);
  const raw = asked ?? current;
  const steady = Math.min(Math.max(raw, ...last.map(({ replicas }) => replicas)), Math.max(current, raw));
  const upTo = Math.max(current * 2, current + 4);
  const desired = current === 0 ? 0 : Math.min(most, Math.max(least, Math.min(steady, upTo)));
  if (desired !== current) {
    actor.update(target, put(target, ["spec", "replicas"], desired), "scale");
    actor.tell(scaler, {
      reason: "SuccessfulRescale",
      message: `New size: ${desired}; reason: ${desired > current ? `${metrics[0]?.name} resource utilization (percentage of request) above target` : "All metrics below target"}`,
    });
  }
  const conditions = [
    condition(
      "AbleToScale",
      "True",
      desired === current ? "ReadyForNewScale" : "SucceededRescale",
      desired === current
        ? "recommended size matches current size"
        : `the HPA controller was able to update the target scale to ${desired}`,
    ),
    asked === undefined
      ? condition(
          "ScalingActive",
          "False",
          "FailedGetResourceMetric",
          "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
        )
      : condition(
          "ScalingActive",
          "True",
          "ValidMetricFound",
          "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
        ),
    condition(
      "ScalingLimited",
      desired === raw ? "False" : "True",
      desired === raw ? "DesiredWithinRange" : raw < least ? "TooFewReplicas" : "TooManyReplicas",
      desired === raw
        ? "the desired count is within the acceptable range"
        : raw < least
          ? "the desired replica count is less than the minimum replica count"
          : "the desired replica count is more than the maximum replica count",
    ),
  ];
  tell(scaler, { current, desired, metrics }, conditions, { actor, time });
  return raw;
}

const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
});

type Numbers = { readonly current: number; readonly desired: number; readonly metrics: readonly Metric[] };

function tell(
  scaler: Stored,
  { current, desired, metrics }: Numbers,
  conditions: readonly ReturnType<typeof condition>[],
  { actor, time }: { actor: Reconciling["actor"]; time: string },
): void {
  const known = metrics.filter((metric) => metric.current !== undefined);
  const before = statusOf(scaler);
  actor.status(scaler, {
    ...(scaler.metadata.generation !== undefined && { observedGeneration: scaler.metadata.generation }),
    ...(desired !== current
      ? { lastScaleTime: time }
      : before["lastScaleTime"] !== undefined && { lastScaleTime: before["lastScaleTime"] }),
    currentReplicas: current,
    desiredReplicas: desired,
    currentMetrics:
      known.length > 0
        ? known.map(({ name, current: share, average }) => ({
            type: "Resource",
            resource: { name, current: { averageUtilization: share, averageValue: average } },
          }))
        : null,
    conditions: conditions.reduce<readonly JsonObject[]>(
      (all, one) => withCondition(all, one, time),
      asObjects(before["conditions"]),
    ),
  });
}
