import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { ApiError } from "../model/api-error.ts";
import { equal, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Call } from "../verbs/call.ts";
import { commitChange } from "../verbs/commit-object.ts";
import { create } from "../verbs/create.ts";
import { remove, type DeleteOptions } from "../verbs/delete.ts";
import { recordEvent, type EventNote } from "./record-event.ts";

/** Writes of a controller, by the same rules as anybody's. Refusals are thrown as `ApiError`. */
export type Actor = {
  create(object: JsonObject): Stored;
  /** Changes everything but status. */
  update(live: Stored, wanted: Stored, subresource?: string): Stored;
  /** Changes status, and the annotations that some controllers write along with it. */
  status(live: Stored, status: JsonObject, annotations?: Readonly<Record<string, string>>): Stored;
  /** Nothing happens when the object is gone already. */
  remove(object: Stored, options?: DeleteOptions): void;
  /** Tells something about an object, as `kubectl describe` shows it. */
  tell(about: Stored, note: EventNote): void;
};

export function actorOf(cluster: Cluster, manager: string, component = manager): Actor {
  const kindOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }): Kind => {
    const found = cluster.registry.byKind(apiVersion, kind);
    if (!found) throw new Error(`the cluster does not serve ${apiVersion}/${kind}`);
    return found;
  };
  const callOn = (kind: Kind, namespace: string | undefined, name: string, subresource?: string): Call => ({
    kind,
    namespace,
    name,
    subresource,
    user: `system:${component}`,
    fieldManager: manager,
    fieldValidation: "Ignore",
    dryRun: false,
    warn: () => undefined,
  });
  const callFor = (object: Stored, subresource?: string): Call =>
    callOn(kindOf(object), object.metadata.namespace, object.metadata.name, subresource);

  return {
    create: (object) => {
      const { namespace } = object["metadata"] as { namespace?: string };
      return create(object, callOn(kindOf(object as Stored), namespace, ""), cluster);
    },
    update: (live, wanted, subresource) =>
      commitChange({ live, wanted }, callFor(live, subresource), cluster),
    status: (live, status, annotations) => {
      const isSame =
        equal(live["status"], status) && (!annotations || equal(live.metadata.annotations, annotations));
      if (isSame) return live;
      const metadata = annotations ? { ...live.metadata, annotations } : live.metadata;
      return commitChange({ live, wanted: { ...live, metadata, status } }, callFor(live, "status"), cluster);
    },
    remove: (object, options = {}) => {
      try {
        remove(options, callFor(object), cluster);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 404) throw error;
      }
    },
    tell: (about, note) => recordEvent(about, note, { cluster, component }),
  };
}
