import type { Cluster } from "../cluster.ts";
import { specOf } from "../kinds/in-spec.ts";
import { forbidden } from "../model/api-error.ts";
import type { JsonObject } from "../model/json.ts";
import type { Admission } from "./admission.ts";
import { violations, type Level } from "./pod-security-checks.ts";
import { templateOf } from "./pod-spec-of.ts";

type Policy = { readonly level: Level; readonly version: string };
const prefix = "pod-security.kubernetes.io/";
const levels: readonly string[] = ["privileged", "baseline", "restricted"];

/** What a namespace's labels ask of its pods; warnings are at least as strict as what is enforced. */
function policyOf(namespace: string | undefined, mode: "enforce" | "warn", { store }: Cluster): Policy {
  const labels = store.get("namespaces", undefined, namespace ?? "")?.metadata.labels ?? {};
  const level = labels[`${prefix}${mode}`] ?? (mode === "warn" ? labels[`${prefix}enforce`] : undefined);
  const version = labels[`${prefix}${mode}-version`] ?? "latest";
  return { level: (levels.includes(level ?? "") ? level : "privileged") as Level, version };
}

function problem(spec: JsonObject, { level, version }: Policy): string | undefined {
  const found = violations(spec, level);
  return found.length === 0 ? undefined : `violate PodSecurity "${level}:${version}": ${found.join(", ")}`;
}

/** Pod Security: pods below their namespace's level are refused; what would make such pods is only warned of. */
export const podSecurity: Admission = {
  check: (object, request, cluster) => {
    const { kind, namespace, name, operation, subresource, warn } = request;
    if (operation === "DELETE" || subresource !== undefined) return;
    const template = templateOf(object, kind);
    if (template) {
      const text = problem(template, policyOf(namespace, "warn", cluster));
      if (text) warn(`would ${text}`);
    }
    if (kind.resource !== "pods" || operation !== "CREATE") return;
    const text = problem(specOf(object), policyOf(namespace, "enforce", cluster));
    if (text) throw forbidden(kind, name, text.replace(/^violate /, "violates "));
    const warning = problem(specOf(object), policyOf(namespace, "warn", cluster));
    if (warning) warn(`would ${warning}`);
  },
};
