import type { Cluster } from "../cluster.ts";
import type { StoreEvent } from "../store/store.ts";
import type { Actor } from "./actor.ts";

export type Reconciling = {
  readonly cluster: Cluster;
  /** Writes in the controller's name. */
  readonly actor: Actor;
  /** Looks at this key again when that many milliseconds have passed. */
  readonly later: (key: string, ms: number) => void;
  readonly now: () => Date;
};

/** A loop that makes the cluster as one kind of object says. It reads all it needs anew each time. */
export type Controller = {
  readonly name: string;
  /** The program in whose name it writes: what managed fields and events show. */
  readonly manager: string;
  /** Which keys an event concerns. */
  readonly keysOf: (event: StoreEvent, cluster: Cluster) => readonly string[];
  readonly reconcile: (key: string, context: Reconciling) => void;
};

/** The keys of the objects of one resource themselves. */
export const own =
  (...resources: readonly string[]) =>
  (event: StoreEvent): readonly string[] =>
    resources.includes(event.resource) ? [event.key] : [];

/** The key of the controlling owner, when it is of this kind. */
export const ownerKeys = (event: StoreEvent, kind: string): readonly string[] =>
  [event.object, event.previous].flatMap((object) => {
    const owner = object?.metadata.ownerReferences?.find(({ controller }) => controller);
    return owner?.kind === kind ? [`${object?.metadata.namespace}/${owner.name}`] : [];
  });

export const partsOf = (key: string): readonly [string, string] => {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
};
