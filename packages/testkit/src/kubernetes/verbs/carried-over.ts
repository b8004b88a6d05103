import type { Cluster } from "../cluster.ts";
import { equal, omit, type JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import type { Call } from "./call.ts";

/** What a request cannot change is taken from the live object; a changed spec gets the next generation. */
export function carriedOver(wanted: Stored, live: Stored, call: Call, cluster: Cluster): Stored {
  const { kind, subresource } = call;
  const fixed = withMeta(wanted, {
    name: live.metadata.name,
    namespace: live.metadata.namespace,
    uid: live.metadata.uid,
    resourceVersion: live.metadata.resourceVersion,
    creationTimestamp: live.metadata.creationTimestamp,
    deletionTimestamp: live.metadata.deletionTimestamp,
    deletionGracePeriodSeconds: live.metadata.deletionGracePeriodSeconds,
    generateName: live.metadata.generateName,
    generation: live.metadata.generation,
  });
  if (subresource === "status") return statusOnly(fixed, live, call);
  const kept = kind.hasStatus ? withStatusOf(fixed, live) : fixed;
  const prepared = kind.strategy.onUpdate?.(kept, live, cluster.context) ?? kept;
  return isNextGeneration(prepared, live, call)
    ? withMeta(prepared, { generation: (live.metadata.generation ?? 0) + 1 })
    : prepared;
}

const withStatusOf = (object: Stored, live: Stored): Stored =>
  live["status"] === undefined ? omit(object, "status") : ({ ...object, status: live["status"] } as Stored);

/** On the status subresource nothing but status changes, and for built-in kinds a few things around it. */
function statusOnly(object: Stored, live: Stored, { kind }: Call): Stored {
  const status = object["status"];
  const base = kind.isCustom
    ? live
    : withMeta(
        { ...live, metadata: object.metadata },
        { labels: live.metadata.labels, ownerReferences: live.metadata.ownerReferences },
      );
  return (status === undefined ? omit(base, "status") : { ...base, status }) as Stored;
}

/** Everything but metadata and status counts; a Deployment's annotations do as well. */
function isNextGeneration(object: Stored, live: Stored, { kind }: Call): boolean {
  if (!kind.hasGeneration) return false;
  const rest = (one: Stored): JsonObject =>
    omit(one as JsonObject, "metadata", "status", "apiVersion", "kind");
  if (!equal(rest(object), rest(live))) return true;
  return kind.kind === "Deployment" && !equal(object.metadata.annotations, live.metadata.annotations);
}
