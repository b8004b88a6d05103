import { isScoped } from "../admission/quota-scopes.ts";
import { usageOf } from "../admission/usage.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { formatQuantity } from "../model/quantity.ts";
import { isFinished } from "./pod-state.ts";
import { own, partsOf, type Controller, type Reconciling } from "./controller.ts";

/** Quotas: what is used of them, counted anew whenever something in the namespace comes, goes, or ends. */
export const quotas: Controller = {
  name: "resourcequota-controller",
  manager: "kube-controller-manager",
  keysOf: (event, { store }) => {
    if (event.resource === "resourcequotas") return own("resourcequotas")(event);
    const { object, previous } = event;
    // What is new has been charged when it was let in.
    if (previous === undefined || (object && isSameSize(object, previous))) return [];
    const { namespace } = previous.metadata;
    if (namespace === undefined) return [];
    return store.list("resourcequotas", namespace).map(({ metadata }) => keyOf(metadata));
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const quota = context.cluster.store.get("resourcequotas", namespace, name);
    if (quota) sync(quota, context);
  },
};

const isSameSize = (object: Stored, previous: Stored): boolean =>
  object["spec"] === previous["spec"] && isFinished(object) === isFinished(previous);

/** The resources whose objects a bound counts. */
function resourcesOf(bound: string): readonly string[] {
  if (bound.startsWith("count/")) return [bound.slice("count/".length)];
  if (bound.startsWith("services")) return ["services"];
  if (bound.includes("storage") && !bound.includes("ephemeral")) return ["persistentvolumeclaims"];
  if (["configmaps", "secrets", "resourcequotas", "persistentvolumeclaims"].includes(bound)) return [bound];
  return ["pods"];
}

function sync(quota: Stored, { cluster, actor }: Reconciling): void {
  const hard = asObject(specOf(quota)["hard"]);
  const resources = new Set(Object.keys(hard).flatMap(resourcesOf));
  const totals: Record<string, bigint> = {};
  for (const resource of resources)
    for (const object of cluster.store.list(resource, quota.metadata.namespace)) {
      if (resource === "pods" && !isScoped(object, quota)) continue;
      for (const [name, amount] of Object.entries(usageOf(object, resource)))
        totals[name] = (totals[name] ?? 0n) + amount;
    }
  const used = Object.fromEntries(
    Object.entries(hard).map(([name, limit]) => [
      name,
      formatQuantity(totals[name] ?? 0n, String(limit).endsWith("i") ? "binary" : "decimal"),
    ]),
  );
  actor.status(quota, { hard, used });
}
