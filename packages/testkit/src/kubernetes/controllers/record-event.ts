import type { Cluster } from "../cluster.ts";
import { timestamp, type Stored } from "../model/object.ts";

export type EventNote = {
  readonly type?: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** The part of the object it is about, like `spec.containers{main}`. */
  readonly fieldPath?: string;
};

type Telling = { readonly cluster: Cluster; readonly component: string };

/** How long the server keeps events. */
const keptMs = 3_600_000;

const noteKey = (about: Stored, { reason, message }: EventNote): string =>
  `${about.metadata.uid}/${reason}/${message}`;

/**
 * Writes an event about an object, or counts one more of the same. It goes straight to the store: an event is never
 * held up by quotas; only a namespace that is going takes none.
 */
export function recordEvent(about: Stored, note: EventNote, { cluster, component }: Telling): void {
  const { store, clock, events } = cluster;
  const namespace = about.metadata.namespace ?? "default";
  if (store.get("namespaces", undefined, namespace)?.metadata.deletionTimestamp !== undefined) return;
  const known = store.get("events", namespace, events.get(noteKey(about, note)) ?? "");
  if (known) {
    const count = Number(known["count"] ?? 1) + 1;
    store.write("events", { ...known, count, lastTimestamp: timestamp(clock.now()) });
    return;
  }
  const event = store.write("events", newEvent(about, note, { cluster, component }));
  events.set(noteKey(about, note), event.metadata.name);
  clock.after(keptMs, () => {
    const kept = store.get("events", namespace, event.metadata.name);
    if (kept && kept.metadata.uid === event.metadata.uid) store.remove("events", kept);
    events.delete(noteKey(about, note));
  });
}

/** Fourteen hexadecimal digits after the object's name. */
const suffix = ({ context }: Cluster): string =>
  Math.floor(context.random() * 2 ** 52)
    .toString(16)
    .padStart(14, "0");

function newEvent(about: Stored, note: EventNote, { cluster, component }: Telling): Stored {
  const { name, namespace, uid, resourceVersion } = about.metadata;
  const time = timestamp(cluster.clock.now());
  const metadata = {
    name: `${name}.${suffix(cluster)}`,
    namespace: namespace ?? "default",
    uid: cluster.uid(),
    creationTimestamp: time,
  };
  const involvedObject = {
    kind: about.kind,
    ...(namespace !== undefined && { namespace }),
    name,
    ...(uid !== undefined && { uid }),
    apiVersion: about.apiVersion,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(note.fieldPath !== undefined && { fieldPath: note.fieldPath }),
  };
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata,
    involvedObject,
    reason: note.reason,
    message: note.message,
    source: { component },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    type: note.type ?? "Normal",
    eventTime: null,
    reportingComponent: component,
    reportingInstance: "",
  } as unknown as Stored;
}
