import { asObject, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { ownerOf } from "./owned.ts";

/** A pod of a template, for its controller; the server gives it a name. */
export function podOf(template: JsonObject, owner: Stored, extra: JsonObject = {}): JsonObject {
  const { labels, annotations, finalizers } = asObject(template["metadata"]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [ownerOf(owner)],
      ...extra,
    },
    spec: asObject(template["spec"]),
  };
}
