import { specOf } from "../kinds/in-spec.ts";
import { asObject, put } from "../model/json.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import { own, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { condition, metricsOf, podsOf, tell, wanted } from "./autoscaler-metrics.ts";
import { replicasOf } from "./deployment-sets.ts";

const resource = "horizontalpodautoscalers.autoscaling";
const everyMs = 15_000;
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
