import { qosClass } from "../kinds/pods.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, asStrings } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

type Scope = { readonly name: string; readonly operator: string; readonly values: readonly string[] };

function scopesOf(quota: Stored): readonly Scope[] {
  const { scopes, scopeSelector } = specOf(quota);
  return [
    ...asStrings(scopes).map((name) => ({ name, operator: "Exists", values: [] })),
    ...asObjects(asObject(scopeSelector)["matchExpressions"]).map(({ scopeName, operator, values }) => ({
      name: String(scopeName),
      operator: String(operator),
      values: asStrings(values),
    })),
  ];
}

function isIn({ name, operator, values }: Scope, pod: Stored): boolean {
  const spec = specOf(pod);
  const isTerminating = spec["activeDeadlineSeconds"] !== undefined;
  const isBestEffort = qosClass(spec) === "BestEffort";
  const priority = String(spec["priorityClassName"] ?? "");
  switch (name) {
    case "Terminating":
      return isTerminating;
    case "NotTerminating":
      return !isTerminating;
    case "BestEffort":
      return isBestEffort;
    case "NotBestEffort":
      return !isBestEffort;
    case "PriorityClass":
      if (operator === "Exists") return priority !== "";
      if (operator === "DoesNotExist") return priority === "";
      return values.includes(priority) === (operator === "In");
    default:
      return false;
  }
}

/** Whether a quota is about this pod. */
export const isScoped = (pod: Stored, quota: Stored): boolean =>
  scopesOf(quota).every((scope) => isIn(scope, pod));
