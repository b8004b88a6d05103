import type { Cluster } from "../cluster.ts";
import { inSpec, specOf } from "../kinds/in-spec.ts";
import { withinEach } from "../kinds/pod-defaults.ts";
import { forbidden } from "../model/api-error.ts";
import { asObject, asObjects, at, put, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";
import type { Admission } from "./admission.ts";

/** The limits of a namespace that are about containers. */
const limitsOf = (namespace: string | undefined, { store }: Cluster): readonly JsonObject[] =>
  (namespace === undefined ? [] : store.list("limitranges", namespace))
    .flatMap((range) => asObjects(specOf(range)["limits"]))
    .filter(({ type }) => type === "Container");

function filledIn(container: JsonObject, limits: readonly JsonObject[]): JsonObject {
  const standard = Object.assign({}, ...limits.map((limit) => asObject(limit["default"]))) as JsonObject;
  const request = Object.assign(
    {},
    ...limits.map((limit) => asObject(limit["defaultRequest"])),
  ) as JsonObject;
  const resources = asObject(container["resources"]);
  const own = { limits: asObject(resources["limits"]), requests: asObject(resources["requests"]) };
  const missing = (defaults: JsonObject, given: JsonObject) => ({ ...defaults, ...given });
  const filled = { limits: missing(standard, own.limits), requests: missing(request, own.requests) };
  return {
    ...container,
    resources: {
      ...resources,
      ...(Object.keys(filled.limits).length > 0 && { limits: filled.limits }),
      ...(Object.keys(filled.requests).length > 0 && { requests: filled.requests }),
    },
  };
}

/** Which resources were filled in, in the words of the annotation that tells it. */
function told(before: JsonObject, after: JsonObject): readonly string[] {
  return (["requests", "limits"] as const).flatMap((part) => {
    const names = Object.keys(asObject(at(after, "resources", part)))
      .filter((name) => at(before, "resources", part, name) === undefined)
      .sort();
    return names.length > 0
      ? [`${names.join(", ")} ${part.slice(0, -1)} for container ${String(after["name"])}`]
      : [];
  });
}

function outOfBounds(container: JsonObject, limit: JsonObject): readonly string[] {
  const value = (part: string, name: string) => at(container, "resources", part, name) as string | undefined;
  const amount = (text: string | undefined) => (text === undefined ? undefined : parseQuantity(text));
  const above = Object.entries(asObject(limit["max"])).flatMap(([name, max]) => {
    const given = value("limits", name);
    if (given === undefined)
      return [`maximum ${name} usage per Container is ${String(max)}.  No limit is specified`];
    return (amount(given) ?? 0n) > (amount(String(max)) ?? 0n)
      ? [`maximum ${name} usage per Container is ${String(max)}, but limit is ${given}`]
      : [];
  });
  const below = Object.entries(asObject(limit["min"])).flatMap(([name, min]) => {
    const given = value("requests", name);
    if (given === undefined)
      return [`minimum ${name} usage per Container is ${String(min)}.  No request is specified`];
    return (amount(given) ?? 0n) < (amount(String(min)) ?? 0n)
      ? [`minimum ${name} usage per Container is ${String(min)}, but request is ${given}`]
      : [];
  });
  return [...below, ...above];
}

/** Limit ranges: containers that do not say how much they take get the namespace's defaults, and its bounds hold. */
export const limitRanger: Admission = {
  mutate: (object, { operation, kind, namespace, subresource }, cluster) => {
    if (kind.resource !== "pods" || operation !== "CREATE" || subresource !== undefined) return object;
    const limits = limitsOf(namespace, cluster);
    if (limits.length === 0) return object;
    const filled: Stored = inSpec(object, (spec) =>
      ["containers", "initContainers"].reduce(
        (all, list) => withinEach(all, list, (container) => filledIn(container, limits)),
        spec,
      ),
    );
    const texts = asObjects(specOf(filled)["containers"]).flatMap((after, index) =>
      told(asObjects(specOf(object)["containers"])[index] ?? {}, after),
    );
    if (texts.length === 0) return object;
    return put(
      filled,
      ["metadata", "annotations", "kubernetes.io/limit-ranger"],
      `LimitRanger plugin set: ${texts.join("; ")}`,
    );
  },
  check: (object, { operation, kind, namespace, name, subresource }, cluster) => {
    if (kind.resource !== "pods" || operation !== "CREATE" || subresource !== undefined) return;
    const problems = limitsOf(namespace, cluster).flatMap((limit) =>
      asObjects(specOf(object)["containers"]).flatMap((container) => outOfBounds(container, limit)),
    );
    if (problems.length === 0) return;
    throw forbidden(kind, name, problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`);
  },
};
