import type { Cluster } from "../cluster.ts";
import { podResources } from "../admission/usage.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asMap, asObject, asObjects, asStrings, type JsonObject } from "../model/json.ts";
import { holds, matchesLabels } from "../model/label-selector.ts";
import type { Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";

/** Why a pod cannot go to a node, in the scheduler's words; nothing when it can. */
export function rejectionOf(pod: Stored, node: Stored, { nodes }: Cluster): readonly string[] {
  const spec = specOf(pod);
  if (specOf(node)["unschedulable"] === true) return ["node(s) were unschedulable"];
  if (hasUntolerated(pod, node)) return ["node(s) had untolerated taint(s)"];
  const labels = node.metadata.labels ?? {};
  if (!matchesLabels(asMap(spec["nodeSelector"]), labels) || !affine(spec, node))
    return ["node(s) didn't match Pod's node affinity/selector"];
  const allocatable = asObject(statusOf(node)["allocatable"]);
  const used = nodes.used(node.metadata.name);
  const requests = podResources(spec, "requests");
  const room = (name: string): bigint =>
    (parseQuantity(String(allocatable[name] ?? "0")) ?? 0n) - (used[name] ?? 0n);
  const short = Object.entries(requests)
    .filter(([name, amount]) => amount > 0n && amount > room(name))
    .map(([name]) => `Insufficient ${name}`);
  return [...(room("pods") < 1_000_000_000n ? ["Too many pods"] : []), ...short];
}

/** A taint that keeps the pod away. */
function hasUntolerated(pod: Stored, node: Stored): boolean {
  const tolerations = asObjects(specOf(pod)["tolerations"]);
  const isTolerated = (taint: JsonObject): boolean =>
    tolerations.some(
      ({ key, operator, value, effect }) =>
        (effect === undefined || effect === taint["effect"]) &&
        (key === undefined || key === taint["key"]) &&
        (operator === "Exists" || (value ?? "") === (taint["value"] ?? "")),
    );
  return asObjects(specOf(node)["taints"])
    .filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute")
    .some((taint) => !isTolerated(taint));
}

function affine(spec: JsonObject, node: Stored): boolean {
  const required = asObject(
    asObject(asObject(spec["affinity"])["nodeAffinity"])["requiredDuringSchedulingIgnoredDuringExecution"],
  );
  const terms = asObjects(required["nodeSelectorTerms"]);
  if (terms.length === 0) return true;
  const operators = { Gt: "GreaterThan", Lt: "LessThan" } as const;
  return terms.some(({ matchExpressions }) =>
    asObjects(matchExpressions).every(({ key, operator, values }) =>
      holds(
        {
          key: String(key),
          operator: operators[operator as "Gt"] ?? (operator as "In"),
          values: asStrings(values),
        },
        node.metadata.labels ?? {},
      ),
    ),
  );
}
