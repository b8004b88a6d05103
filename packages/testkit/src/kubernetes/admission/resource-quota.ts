import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { forbidden } from "../model/api-error.ts";
import { asObject, put, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { canonicalQuantity, formatQuantity, parseQuantity } from "../model/quantity.ts";
import type { Admission } from "./admission.ts";
import { isScoped } from "./quota-scopes.ts";
import { silentContainers, usageOf, type Usage } from "./usage.ts";

const amount = (values: JsonObject, name: string): bigint =>
  parseQuantity((values[name] as string | undefined) ?? "0") ?? 0n;
const formatLike = (sample: string) => (sample.endsWith("i") ? "binary" : "decimal") as "binary" | "decimal";

/** `requests.cpu=2,requests.memory=1Gi` */
const printed = (names: readonly string[], value: (name: string) => string): string =>
  names.map((name) => `${name}=${value(name)}`).join(",");

/** Adds the usage to what the quota says is used, or refuses. */
function charge(
  quota: Stored,
  object: Stored,
  { kind, name, usage }: { kind: Kind; name: string; usage: Usage },
): Stored {
  const [hard, used] = [asObject(specOf(quota)["hard"]), asObject(statusOf(quota)["used"])];
  const bounded = Object.keys(hard)
    .filter((one) => (usage[one] ?? 0n) > 0n)
    .sort();
  if (kind.resource === "pods") refuseSilence(quota, object, { kind, name });
  const over = bounded.filter((one) => amount(used, one) + (usage[one] ?? 0n) > amount(hard, one));
  if (over.length > 0) {
    const shown = (value: (one: string) => bigint) =>
      printed(over, (one) => formatQuantity(value(one), formatLike(String(hard[one]))));
    throw forbidden(
      kind,
      name,
      `exceeded quota: ${quota.metadata.name}, requested: ${shown((one) => usage[one] ?? 0n)}, used: ${shown((one) => amount(used, one))}, limited: ${printed(over, (one) => canonicalQuantity(String(hard[one])))}`,
    );
  }
  return bounded.reduce((charged, one) => {
    const sum = formatQuantity(
      amount(used, one) + (usage[one] ?? 0n),
      formatLike(String(used[one] ?? hard[one])),
    );
    return put(charged, ["status", "used", one], sum);
  }, quota);
}

/** Where a quota bounds a resource, every container must say how much of it it takes. */
function refuseSilence(quota: Stored, pod: Stored, { kind, name }: { kind: Kind; name: string }): void {
  const silent = Object.keys(asObject(specOf(quota)["hard"]))
    .sort()
    .map((bounded) => [bounded, silentContainers(pod, bounded)] as const)
    .filter(([, containers]) => containers.length > 0);
  if (silent.length === 0) return;
  const all = silent.map(([bounded, containers]) => `${bounded} for: ${containers.join(",")}`).join("; ");
  throw forbidden(kind, name, `failed quota: ${quota.metadata.name}: must specify ${all}`);
}

export const quotasOf = (namespace: string | undefined, { store }: Cluster): readonly Stored[] =>
  namespace === undefined ? [] : store.list("resourcequotas", namespace);

/** Quotas: nothing is made that would go over one, and what is made counts from that moment on. */
export const resourceQuota: Admission = {
  check: (object, { operation, kind, namespace, name, dryRun, subresource }, cluster) => {
    if (operation !== "CREATE" || subresource !== undefined || kind.resource === "resourcequotas") return;
    const usage = usageOf(object, kind.resource);
    const charged = quotasOf(namespace, cluster)
      .filter((quota) => kind.resource !== "pods" || isScoped(object, quota))
      .map((quota) => [quota, charge(quota, object, { kind, name, usage })] as const);
    if (dryRun) return;
    for (const [quota, after] of charged) if (after !== quota) cluster.store.write("resourcequotas", after);
  },
};
