import { omit, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, insert, type FieldSet } from "./field-set.ts";

/** Fields that nobody owns: what an object is, and what the server alone writes. */
const neverOwned = [
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
  ].map((field) => ["f:metadata", `f:${field}`]),
];
export const unowned: FieldSet = neverOwned.reduce<FieldSet>(insert, emptySet);

/** The object without what belongs to the store and not to its managers. */
export const withoutManagers = (object: Stored): Stored =>
  ({ ...object, metadata: omit(object.metadata as JsonObject, "managedFields") }) as Stored;

/**
 * Fields that a write to this endpoint cannot set, so that it must not come to own them: status on the object itself;
 * spec and most of the metadata on the status subresource.
 */
export function resetFields(hasStatus: boolean, subresource: string | undefined): FieldSet {
  if (subresource === "status")
    return [
      ["f:spec"],
      ["f:metadata", "f:labels"],
      ["f:metadata", "f:finalizers"],
      ["f:metadata", "f:ownerReferences"],
    ].reduce<FieldSet>(insert, emptySet);
  return hasStatus ? insert(emptySet, ["f:status"]) : emptySet;
}

/** The parts that a built-in kind has even when empty, so that filling them does not make anyone their owner. */
const always = [
  "metadata",
  "spec",
  "status",
  "template",
  "strategy",
  "updateStrategy",
  "jobTemplate",
  "loadBalancer",
  "roleRef",
  "involvedObject",
  "source",
];

export function emptyLike(object: JsonObject, isCustom: boolean, _schema: Schema): JsonObject {
  if (isCustom) return { apiVersion: object["apiVersion"], kind: object["kind"], metadata: {} };
  return skeleton(object);
}

function skeleton(object: JsonObject): JsonObject {
  const parts = always.flatMap((field) => {
    const inner = object[field];
    return typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? [[field, skeleton(inner as JsonObject)] as const]
      : [];
  });
  const lists = ["containers"].flatMap((field) =>
    Array.isArray(object[field]) ? [[field, null] as const] : [],
  );
  return Object.fromEntries([...parts, ...lists]);
}
