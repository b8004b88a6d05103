import type { Cluster } from "../cluster.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { ApiError } from "../model/api-error.ts";
import type { JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import type { Matcher } from "../model/selectors.ts";
import type { StoreEvent } from "../store/store.ts";
import { matcherOf, tooLarge, type Selection } from "./list.ts";

export type WatchLine = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: JsonObject;
};
export type WatchSink = { readonly send: (line: WatchLine) => void; readonly end: () => void };

const bookmarkEveryMs = 60_000;
const longestSeconds = 1800;

/** What an event is to somebody who sees only some objects: what begins to match is added, what no longer does deleted. */
export function lineOf({ object, previous, revision }: StoreEvent, matches: Matcher): WatchLine | undefined {
  const [now, before] = [object && matches(object), previous && matches(previous)];
  if (object && now) return { type: before ? "MODIFIED" : "ADDED", object };
  if (!previous || !before) return undefined;
  return { type: "DELETED", object: withMeta(previous, { resourceVersion: String(revision) }) };
}

/** Sends events to the sink until its time is over or the answer is called. */
export function watch(selection: Selection, cluster: Cluster, sink: WatchSink): () => void {
  const { kind, namespace, query } = selection;
  const { store, clock } = cluster;
  const inside = matcherOf(selection);
  const matches: Matcher = (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && inside(object);
  const wantsBookmarks =
    query.get("allowWatchBookmarks") === "true" || query.get("allowWatchBookmarks") === "1";

  const start = startOf(query, cluster);
  if (start instanceof ApiError) {
    sink.send({ type: "ERROR", object: start.status });
    sink.end();
    return () => undefined;
  }
  const sendObject = (line: WatchLine | undefined): void => line && sink.send(line);
  if (start.withState)
    for (const object of store.list(kind.resource, namespace).filter(matches))
      sink.send({ type: "ADDED", object });
  const bookmark = (annotations?: Readonly<Record<string, string>>): void =>
    sink.send({
      type: "BOOKMARK",
      object: emptyObject(kind, {
        resourceVersion: String(store.revision()),
        ...(annotations && { annotations }),
      }),
    });
  if (start.withEnd) bookmark({ "k8s.io/initial-events-end": "true" });
  for (const event of store.history.since(kind.resource, start.revision)) sendObject(lineOf(event, matches));

  const stopEvents = store.onEvent((event) => {
    // After a restored backup events may be older than what the watcher says it has seen; those it never gets.
    if (event.resource === kind.resource && event.revision > start.revision)
      sendObject(lineOf(event, matches));
  });
  let stopBookmark = (): void => undefined;
  const nextBookmark = (): void => {
    stopBookmark = clock.after(bookmarkEveryMs, () => {
      bookmark();
      nextBookmark();
    });
  };
  if (wantsBookmarks) nextBookmark();
  const seconds = Number(query.get("timeoutSeconds") ?? 0) || longestSeconds;
  const stopTimeout = clock.after(seconds * 1000, () => {
    stop();
    sink.end();
  });
  const stop = (): void => {
    stopEvents();
    stopBookmark();
    stopTimeout();
  };
  return stop;
}

const emptyObject = (kind: Selection["kind"], metadata: JsonObject): JsonObject => ({
  kind: kind.kind,
  apiVersion: apiVersionOf(kind),
  metadata: metadata as unknown as Stored["metadata"],
});

type Start = { readonly revision: number; readonly withState: boolean; readonly withEnd: boolean };

/** Where a watch begins: at a revision, or with everything that is there now. */
function startOf(query: URLSearchParams, { store }: Cluster): Start | ApiError {
  const wanted = query.get("resourceVersion") ?? "";
  const initial = query.get("sendInitialEvents");
  const now = store.revision();
  if (initial === "true") {
    if (Number(wanted || 0) > now) throw tooLarge(Number(wanted), now);
    return { revision: now, withState: true, withEnd: query.get("allowWatchBookmarks") === "true" };
  }
  if (wanted === "" || wanted === "0")
    return { revision: now, withState: initial !== "false", withEnd: false };
  const revision = Number(wanted);
  if (revision < store.history.compactedAt())
    return new ApiError(410, {
      reason: "Expired",
      message: `too old resource version: ${revision} (${store.history.compactedAt()})`,
    });
  return { revision, withState: false, withEnd: false };
}
