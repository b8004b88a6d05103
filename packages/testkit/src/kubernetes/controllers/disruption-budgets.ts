import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import { matchesSelector } from "../model/label-selector.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import { partsOf, type Controller, type Reconciling } from "./controller.ts";
import { isActive, isFinished, isReady, withCondition } from "./pod-state.ts";
import type { SelectorIndex } from "./selector-index.ts";

const resource = "poddisruptionbudgets.policy";

/** What of a pod a budget counts. */
const counted = (pod: Stored): readonly unknown[] => [
  isReady(pod),
  isFinished(pod),
  pod.metadata.deletionTimestamp,
  pod.metadata.labels,
];

/** Disruption budgets: how many pods may be taken away on purpose at this moment. */
export const disruptionBudgets = (budgets: SelectorIndex): Controller => ({
  name: "disruption-controller",
  manager: "kube-controller-manager",
  keysOf: ({ resource: of, key, object, previous }) => {
    if (of === resource) return [key];
    if (of !== "pods") return [];
    const isSame =
      object && previous && counted(object).every((value, index) => value === counted(previous)[index]);
    if (isSame) return [];
    return [object, previous]
      .flatMap((pod) => (pod ? budgets.selecting(pod) : []))
      .map(({ metadata }) => keyOf(metadata));
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const budget = context.cluster.store.get(resource, namespace, name);
    if (budget && budget.metadata.deletionTimestamp === undefined) sync(budget, context);
  },
});

export const isBudgeted = (pod: Stored, budget: Stored): boolean => {
  const selector = specOf(budget)["selector"];
  return selector !== undefined && matchesSelector(selector, pod.metadata.labels ?? {});
};
export const budgetsOf = (pod: Stored, { store }: Reconciling["cluster"]): readonly Stored[] =>
  store.list(resource, pod.metadata.namespace).filter((budget) => isBudgeted(pod, budget));

const share = (value: unknown, of: number): number =>
  typeof value === "string" && value.endsWith("%")
    ? Math.ceil((Number.parseFloat(value) / 100) * of)
    : Number(value ?? 0);

/** How many pods there ought to be: what the replica sets behind them want. */
function expected(pods: readonly Stored[], { cluster }: Reconciling): number {
  const owners = new Map(
    pods.flatMap(({ metadata }) =>
      (metadata.ownerReferences ?? [])
        .filter(({ controller }) => controller)
        .map((owner) => [owner.uid, owner] as const),
    ),
  );
  const loose = pods.filter(
    ({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller),
  ).length;
  return [...owners.keys()].reduce((sum, uid) => {
    const place = cluster.owners.find(uid);
    const [namespace, name] = partsOf(place?.key ?? "/");
    const owner = place && cluster.store.get(place.resource, namespace, name);
    return sum + Number(owner ? (specOf(owner)["replicas"] ?? 1) : 0);
  }, loose);
}

function sync(budget: Stored, context: Reconciling): void {
  const { cluster, actor, now } = context;
  const pods = cluster.store
    .list("pods", budget.metadata.namespace)
    .filter((pod) => isBudgeted(pod, budget) && !isFinished(pod));
  const { minAvailable, maxUnavailable } = specOf(budget);
  const expectedPods = expected(pods, context);
  const desiredHealthy =
    minAvailable !== undefined
      ? share(minAvailable, expectedPods)
      : Math.max(0, expectedPods - share(maxUnavailable, expectedPods));
  const currentHealthy = pods.filter((pod) => isActive(pod) && isReady(pod)).length;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const condition = {
    type: "DisruptionAllowed",
    status: disruptionsAllowed > 0 ? "True" : "False",
    reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
    message: "",
    observedGeneration: budget.metadata.generation ?? 0,
  };
  actor.status(budget, {
    conditions: withCondition(asObjects(statusOf(budget)["conditions"]), condition, timestamp(now())),
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods,
    observedGeneration: budget.metadata.generation ?? 0,
  });
}
