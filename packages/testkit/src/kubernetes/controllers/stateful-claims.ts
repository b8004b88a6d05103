import { asObject, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

/** The volume claim of one pod of a stateful set: it outlives the pod. */
export function claimOf(
  template: JsonObject,
  set: Stored,
  pod: string,
): { readonly volume: string; readonly name: string; readonly object: JsonObject } {
  const metadata = asObject(template["metadata"]);
  const volume = String(metadata["name"]);
  const name = `${volume}-${pod}`;
  return {
    volume,
    name,
    object: {
      ...template,
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { ...metadata, name, namespace: set.metadata.namespace },
    },
  };
}
