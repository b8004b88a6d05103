import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";
import type { Reconciling } from "./controller.ts";
import { controlled } from "./owned.ts";
import { isActive, withCondition } from "./pod-state.ts";

/** Within a tenth of the target nothing is scaled. */
const tolerance = 0.1;

export type Metric = {
  readonly name: string;
  readonly target: number;
  readonly current: number | undefined;
  readonly average: string;
};

export function podsOf(target: Stored, { cluster }: Reconciling): readonly Stored[] {
  const sets = controlled(target, "replicasets.apps", cluster);
  return [
    ...controlled(target, "pods", cluster),
    ...sets.flatMap((set) => controlled(set, "pods", cluster)),
  ].filter(isActive);
}

export function metricsOf(
  scaler: Stored,
  pods: readonly Stored[],
  { cluster }: Reconciling,
): readonly Metric[] {
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
export function wanted(metrics: readonly Metric[], current: number): number | undefined {
  const each = metrics.flatMap(({ current: share, target }) => {
    if (share === undefined) return [];
    const ratio = share / target;
    return [Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(current * ratio)];
  });
  return each.length > 0 ? Math.max(...each) : undefined;
}

export const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
});

type Numbers = { readonly current: number; readonly desired: number; readonly metrics: readonly Metric[] };

export function tell(
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
