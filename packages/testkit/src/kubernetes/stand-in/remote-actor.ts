import type { Actor } from "../controllers/actor.ts";
import { recordEvent } from "../controllers/record-event.ts";
import type { Cluster } from "../cluster.ts";
import { equal, type JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import type { NodeServer } from "./node-server.ts";

/** Writes one thing after the other, so that a later word about a pod never overtakes an earlier one. */
export function openOutbox(failed: (error: unknown) => void) {
  let last: Promise<unknown> = Promise.resolve();
  return {
    send: (write: () => Promise<unknown>): void => void (last = last.then(write).catch(failed)),
    emptied: (): Promise<unknown> => last,
  };
}
export type Outbox = ReturnType<typeof openOutbox>;

const refOf = ({ apiVersion, kind, metadata: { namespace, name } }: Stored) => ({
  apiVersion,
  kind,
  namespace,
  name,
});

/** A controller's hands on a server that is not ours: what it writes stands in the mirror at once, and is sent. */
export const remoteActor =
  (server: NodeServer, outbox: Outbox) =>
  (cluster: Cluster, component: string): Actor => {
    const beyond = (): never => {
      throw new Error("nodes neither create nor change anything but pods' status");
    };
    return {
      create: beyond,
      update: beyond,
      status: (live, status) => {
        if (equal(live["status"], status)) return live;
        const { uid } = live.metadata;
        outbox.send(() =>
          server.patch({ ...refOf(live), subresource: "status" }, { metadata: { uid }, status }),
        );
        return cluster.store.write("pods", { ...live, status });
      },
      remove: (object, { gracePeriodSeconds } = {}) => {
        const { uid } = object.metadata;
        outbox.send(() =>
          server.delete({
            ...refOf(object),
            ...(uid !== undefined && { uid }),
            ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
          }),
        );
      },
      tell: (about, note) => recordEvent(about, note, { cluster, component }),
    };
  };

/** Sends what is told about pods; the same again is only counted. */
export function sendEvents(server: NodeServer, { store }: Cluster, outbox: Outbox): () => void {
  return store.onEvent(({ resource, object, previous }) => {
    if (resource !== "events" || !object) return;
    const { count, lastTimestamp } = object as JsonObject;
    outbox.send(() =>
      previous
        ? server.patch(refOf(object), { count, lastTimestamp })
        : server.create(
            withMeta(object, {
              uid: undefined,
              resourceVersion: undefined,
              creationTimestamp: undefined,
            }) as never,
          ),
    );
  });
}
