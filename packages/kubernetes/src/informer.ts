import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { KindRef, KubeApi, KubeObject, Selection } from "./kube-api.ts";
import { isKubeError } from "./kube-error.ts";

/** `<namespace>/<name>`, with nothing before the stroke for what belongs to no namespace. */
export type StoreKey = string;
export const storeKey = (namespace: string | undefined, name: string): StoreKey =>
  `${namespace ?? ""}/${name}`;

export type InformerOptions<T> = {
  /** In metrics and sentences, like "pods". */
  readonly resource: string;
  readonly kind: KindRef;
  readonly selection: Selection & { readonly metadataOnly?: boolean; readonly pageSize?: number };
  /** What is kept of an object; undefined for one that is none of ours. `managedFields` are there, unless it leaves them out. */
  readonly trim: (object: KubeObject) => T | undefined;
  /** Every change, by events and by the difference that a list made; `after` is undefined for what went. */
  readonly changed: (after: T | undefined, before: T | undefined) => void;
  /** A sentence for the operator: a watch that failed, a watch that was silent. */
  readonly warn: (sentence: string) => void;
  /** Called when nothing was heard for `silentMaxMs`, before the list is read anew; 300 s by default. */
  readonly frozen?: () => void;
  readonly silentMaxMs?: number;
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
};

export interface Informer<T> extends AsyncDisposable {
  readonly resource: string;
  /** Whether one list was read to its end: before that, an empty store says nothing. */
  readonly isSynced: boolean;
  /** The wall clock at the last list, event or bookmark, in ms; undefined before the first. */
  readonly lastEventAtMs: number | undefined;
  readonly watchErrors: number;
  /** How often nothing was heard for `silentMaxMs`; each counts as a watch error as well. */
  readonly frozenTimes: number;
  readonly size: number;
  synced(): Promise<void>;
  get(key: StoreKey): T | undefined;
  values(): Iterable<T>;
  /**
   * Takes what a write was answered with, so that the next look need not wait for the watch to tell the same. Answers what
   * is kept of it.
   */
  learn(object: KubeObject): T | undefined;
  /** Reads the list anew, whatever the watch thinks. */
  repair(): void;
}

type Entry<T> = { readonly key: StoreKey; readonly uid: string; readonly version: string; readonly value: T };
/** A kind that the server does not serve: its CRD may be installed later. */
const notServedEveryMs = 15_000;
/** A watch that lasted this long was a sound one: the next error counts as the first. */
const soundMs = 10_000;

/**
 * Keeps what is needed of every object of a kind, by a list and then a watch. This loop is ours and not the library's
 * `makeInformer`, which keeps whole objects (managedFields and all), opens a new agent for each watch, reads lists
 * without pages and stops at the first error that it does not know. A watch goes on from the last version heard,
 * bookmarks included; only a version too old (410) reads the list again. Nothing is ever taken out of the store because
 * nothing was heard.
 */
export function openInformer<T>(api: KubeApi, options: InformerOptions<T>): Informer<T> {
  const { kind, selection, resource, warn, silentMaxMs = 300_000 } = options;
  const backoff = options.backoff ?? { firstMs: 200, maxMs: 30_000 };
  const store = new Map<StoreKey, Entry<T>>();
  const ending = new AbortController();
  const synced = Promise.withResolvers<void>();
  let [isSynced, watchErrors, frozenTimes] = [false, 0, 0];
  let lastEventAtMs: number | undefined;
  let [version, heardAtMs] = [undefined as string | undefined, performance.now()];
  let turn = new AbortController();

  const heard = (): void => {
    [lastEventAtMs, heardAtMs] = [Date.now(), performance.now()];
  };
  const entryOf = (object: KubeObject): Entry<T> | undefined => {
    const value = options.trim(object);
    const { name, namespace, uid = "", resourceVersion = "" } = object.metadata;
    return value === undefined
      ? undefined
      : { key: storeKey(namespace, name), uid, version: resourceVersion, value };
  };
  const put = (entry: Entry<T>): T => {
    const before = store.get(entry.key);
    if (before?.uid === entry.uid && before.version === entry.version) return before.value;
    // The map keeps the key it was first given: a second copy of it would stay for each object.
    store.set(entry.key, before ? { ...entry, key: before.key } : entry);
    options.changed(entry.value, before?.value);
    return entry.value;
  };
  /** Most of what a watch tells of our own writes their answers have told already. */
  const isKnown = (key: StoreKey, { uid, resourceVersion }: KubeObject["metadata"]): boolean => {
    const known = store.get(key);
    return known !== undefined && known.uid === uid && known.version === resourceVersion;
  };
  /** The watch has told of a later version of the object, before the answer to a write came. */
  const isOvertaken = ({ key, uid, version: written }: Entry<T>): boolean => {
    const known = store.get(key);
    return known !== undefined && known.uid === uid && Number(known.version) > Number(written);
  };
  const take = (key: StoreKey): void => {
    const before = store.get(key);
    if (before && store.delete(key)) options.changed(undefined, before.value);
  };
  const replace = (entries: readonly (Entry<T> | undefined)[]): void => {
    const listed = new Set(entries.map((entry) => entry?.key));
    for (const key of store.keys()) if (!listed.has(key)) take(key);
    for (const entry of entries) if (entry) put(entry);
    isSynced = true;
    synced.resolve();
    heard();
  };

  const list = async (signal: AbortSignal): Promise<string | undefined> => {
    try {
      const { items, resourceVersion } = await api.list(kind, { ...selection, trim: entryOf }, signal);
      replace(items);
      return resourceVersion;
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
      replace([]);
      return undefined;
    }
  };
  const watch = async (from: string, signal: AbortSignal): Promise<void> => {
    for await (const { type, object } of api.watch(kind, { ...selection, resourceVersion: from }, signal)) {
      heard();
      const key = storeKey(object.metadata.namespace, object.metadata.name);
      if (type !== "BOOKMARK" && (type === "DELETED" || !isKnown(key, object.metadata))) {
        const entry = type === "DELETED" ? undefined : entryOf(object);
        if (entry) put(entry);
        else take(key);
      }
      version = object.metadata.resourceVersion ?? version;
    }
  };
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      turn = new AbortController();
      const signal = AbortSignal.any([ending.signal, turn.signal]);
      const beganMs = performance.now();
      try {
        version ??= await list(signal);
        if (version === undefined) await pause(notServedEveryMs, signal);
        else await watch(version, signal);
        // A server that ends every watch at once must not be asked without end.
        if (performance.now() - beganMs < 1_000) await pause(backoffMs(backoff, ++fails), signal);
        else fails = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (turn.signal.aborted) continue;
        if (performance.now() - beganMs > soundMs) fails = 0;
        const isTooOld = isKubeError(error, 410);
        if (isTooOld || isFromTheFuture(error) || isKubeError(error, 404)) version = undefined;
        if (isTooOld && fails++ === 0) continue;
        watchErrors += 1;
        if (fails++ % 20 === 0)
          warn(`the watch of ${resource} failed and is taken up again: ${wordsOf(error)}`);
        const askedMs = isKubeError(error) ? (error.body.details?.retryAfterSeconds ?? 0) * 1_000 : 0;
        await pause(Math.max(askedMs, backoffMs(backoff, fails)), signal);
      }
    }
  };
  const repair = (): void => {
    version = undefined;
    turn.abort();
  };
  const watchdog = setInterval(
    () => {
      if (performance.now() - heardAtMs < silentMaxMs) return;
      heardAtMs = performance.now();
      warn(
        `nothing was heard of ${resource} for ${Math.round(silentMaxMs / 1_000)} s; the list is read anew`,
      );
      watchErrors += 1;
      frozenTimes += 1;
      options.frozen?.();
      repair();
    },
    Math.max(10, Math.min(10_000, silentMaxMs / 10)),
  );
  watchdog.unref();
  const running = run();

  return {
    resource,
    get isSynced() {
      return isSynced;
    },
    get lastEventAtMs() {
      return lastEventAtMs;
    },
    get watchErrors() {
      return watchErrors;
    },
    get frozenTimes() {
      return frozenTimes;
    },
    get size() {
      return store.size;
    },
    synced: () => synced.promise,
    get: (key) => store.get(key)?.value,
    *values() {
      for (const { value } of store.values()) yield value;
    },
    learn(object) {
      const entry = entryOf(object);
      return entry && (isOvertaken(entry) ? entry.value : put(entry));
    },
    repair,
    async [Symbol.asyncDispose]() {
      clearInterval(watchdog);
      ending.abort();
      await running;
    },
  };
}

/** The server went back to an older state: our version would only come again when others have taken its place. */
const isFromTheFuture = (error: unknown): boolean =>
  isKubeError(error) &&
  (error.body.details?.causes?.some(({ reason }) => reason === "ResourceVersionTooLarge") ||
    error.message.includes("Too large resource version"));
