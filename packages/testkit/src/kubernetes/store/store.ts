import { keyOf, withMeta, type Stored } from "../model/object.ts";
import { openHistory, type History } from "./history.ts";
import { openTable, type Table } from "./table.ts";

/** What happened to one object; `previous` is what it was before. */
export type StoreEvent = {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  readonly object: Stored | undefined;
  readonly previous: Stored | undefined;
};

export type StoreSnapshot = {
  readonly revision: number;
  readonly tables: ReadonlyMap<string, readonly Stored[]>;
};

/**
 * All objects of the cluster, by resource (`<plural>.<group>`) and key (`<namespace>/<name>`), with one revision that
 * grows with every write. Writes are synchronous: what is read between two of them is one state of the cluster.
 */
export type Store = {
  revision(): number;
  get(resource: string, namespace: string | undefined, name: string): Stored | undefined;
  /** Objects in the order of their keys. */
  list(resource: string, namespace?: string): readonly Stored[];
  /** Keeps the object under a new revision, which becomes its resourceVersion. */
  write(resource: string, object: Stored): Stored;
  /** Takes the object away; answers its last state under the revision of the removal. */
  remove(resource: string, object: Stored): Stored;
  /** Called for every write, in order, before the write returns. */
  onEvent(listener: (event: StoreEvent) => void): () => void;
  readonly history: History;
  resources(): readonly string[];
  /** Tells the listeners of every object, or every one of a resource, as if it had just been written; watchers hear nothing. */
  replay(resource?: string): void;
  /** Called for `replay` as well as for writes. */
  onLook(listener: (event: StoreEvent) => void): () => void;
  snapshot(): StoreSnapshot;
  /** Goes back to the snapshot, revision and all, as a restored etcd does. */
  restore(snapshot: StoreSnapshot): void;
};

export function openStore(options: { readonly eventsKept: number; readonly firstRevision: number }): Store {
  let revision = options.firstRevision;
  const tables = new Map<string, Table>();
  const history = openHistory(options.eventsKept);
  const listeners = new Set<(event: StoreEvent) => void>();
  const lookers = new Set<(event: StoreEvent) => void>();

  const tableOf = (resource: string): Table => {
    const table = tables.get(resource) ?? openTable();
    tables.set(resource, table);
    return table;
  };
  const commit = (resource: string, object: Stored, isRemoval: boolean): Stored => {
    revision += 1;
    const stamped = withMeta(object, { resourceVersion: String(revision) });
    const table = tableOf(resource);
    const key = keyOf(object.metadata);
    const previous = table.get(key);
    if (isRemoval) table.delete(key);
    else table.set(key, stamped);
    const event = { revision, resource, key, object: isRemoval ? undefined : stamped, previous };
    history.add(event);
    for (const listener of listeners) listener(event);
    for (const looker of lookers) looker(event);
    return stamped;
  };

  return {
    revision: () => revision,
    get: (resource, namespace, name) =>
      tables.get(resource)?.get(namespace === undefined ? name : `${namespace}/${name}`),
    list: (resource, namespace) => tables.get(resource)?.list(namespace) ?? [],
    write: (resource, object) => commit(resource, object, false),
    remove: (resource, object) => commit(resource, object, true),
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onLook: (listener) => {
      lookers.add(listener);
      return () => lookers.delete(listener);
    },
    replay: (only) => {
      for (const [resource, table] of tables) {
        if (only !== undefined && resource !== only) continue;
        for (const object of table.list())
          for (const looker of lookers)
            looker({ revision, resource, key: keyOf(object.metadata), object, previous: undefined });
      }
    },
    history,
    resources: () => [...tables.keys()],
    snapshot: () => ({
      revision,
      tables: new Map([...tables].map(([resource, table]) => [resource, table.list()])),
    }),
    restore: (snapshot) => {
      revision = snapshot.revision;
      tables.clear();
      for (const [resource, objects] of snapshot.tables)
        for (const object of objects) tableOf(resource).set(keyOf(object.metadata), object);
      history.reset(revision);
    },
  };
}

export const resourceOf = ({ group, plural }: { readonly group: string; readonly plural: string }): string =>
  group ? `${plural}.${group}` : plural;
