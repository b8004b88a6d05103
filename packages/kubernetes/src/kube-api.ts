/** What a kind of object is addressed by. */
export type KindRef = { readonly apiVersion: string; readonly kind: string };

/** One object by name; without a namespace for kinds of the whole cluster. */
export type ObjectRef = KindRef & { readonly name: string; readonly namespace?: string | undefined };

/** Any object as the API server has it. */
export type KubeObject = KindRef & {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string | null;
    readonly deletionTimestamp?: string | null;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly (KindRef & { readonly name: string; readonly uid: string })[];
    readonly managedFields?: readonly unknown[];
  };
  readonly [field: string]: unknown;
};

/** Which objects of a kind are meant; without a namespace all of them. */
export type Selection = {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
};

export type ApplyOptions = {
  /** Who owns the fields: `shuttle` for what Shuttle applies, `starform` for what the bootstrap does. */
  readonly fieldManager: string;
  /** Takes over fields that another manager owns; without it such a conflict is a KubeError of status 409. */
  readonly force?: boolean;
  /** The server checks and answers, and keeps nothing. */
  readonly dryRun?: boolean;
};

export type WatchEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
};

/**
 * The few calls to a Kubernetes API server that Starform makes, each on any kind. Failures are KubeError with the
 * server's own Status. Nothing is retried here, except that an unknown kind makes discovery be read again once.
 */
export interface KubeApi extends AsyncDisposable {
  /** The server's `gitVersion`, like "v1.36.2". */
  version(signal?: AbortSignal): Promise<string>;
  /** Whether the server serves the kind; Gateway API's and Envoy Gateway's kinds come and go with their CRDs. */
  serves(kind: KindRef, signal?: AbortSignal): Promise<boolean>;
  /** Server-side apply with strict field validation; answers the object as the server keeps it. */
  apply(object: KubeObject, options: ApplyOptions, signal?: AbortSignal): Promise<KubeObject>;
  create(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** A JSON merge patch; `subresource` is like "status" or "scale". */
  patch(
    ref: ObjectRef & { readonly subresource?: string },
    patch: unknown,
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  /** The object, or undefined when there is none; with `metadataOnly` its body never reaches this process. */
  get(
    ref: ObjectRef & { readonly metadataOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<KubeObject | undefined>;
  /**
   * Every object selected, read in pages of `pageSize` (500 by default), so that no answer is unbounded. `metadataOnly` asks for
   * PartialObjectMetadata: bodies (those of Secrets above all) then never reach this process. `trim` makes of each object what
   * is kept of it, page by page.
   */
  list<T = KubeObject>(
    kind: KindRef,
    selection: Selection & {
      readonly metadataOnly?: boolean;
      readonly pageSize?: number;
      readonly trim?: (object: KubeObject) => T;
    },
    signal?: AbortSignal,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /**
   * Deletes with the given propagation (`Background` by default) and, when `uid` is given, only that very object; when
   * `resourceVersion` is, only as it was then.
   * An object that is not there is no error; false says there was none. `gracePeriodSeconds` is for pods.
   */
  delete(
    ref: ObjectRef & {
      readonly uid?: string;
      readonly resourceVersion?: string | undefined;
      readonly propagation?: "Background" | "Foreground" | "Orphan";
      readonly gracePeriodSeconds?: number;
    },
    signal?: AbortSignal,
  ): Promise<boolean>;
  /** Events after `resourceVersion`, bookmarks included, until the server ends the watch; a version too old is KubeError 410. */
  watch(
    kind: KindRef,
    selection: Selection & { readonly resourceVersion: string; readonly metadataOnly?: boolean },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  /** The end of one container's log, as text; `previous` is the run before the last restart. */
  podLog(
    ref: {
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
      readonly previous?: boolean;
      readonly tailLines: number;
    },
    signal?: AbortSignal,
  ): Promise<string>;
}
