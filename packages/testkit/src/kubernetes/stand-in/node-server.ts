type Kind = { readonly apiVersion: string; readonly kind: string };
type Ref = Kind & { readonly namespace?: string | undefined; readonly name: string };
type Seen = Kind & { readonly metadata: { readonly name: string; readonly namespace?: string } };

/** What nodes need of an API server that is not ours; the project's own Kubernetes client is one. */
export type NodeServer = {
  create(object: never): Promise<unknown>;
  patch(ref: Ref & { readonly subresource?: string }, patch: unknown): Promise<unknown>;
  delete(ref: Ref & { readonly uid?: string; readonly gracePeriodSeconds?: number }): Promise<boolean>;
  list(
    kind: Kind,
    selection: object,
  ): Promise<{ readonly items: readonly Seen[]; readonly resourceVersion: string }>;
  watch(
    kind: Kind,
    selection: { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<{ readonly type: string; readonly object: Seen }>;
};
