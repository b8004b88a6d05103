/** What can be waited for. */
export type Change =
  | { readonly kind: "desired_state"; readonly clusterId: string }
  | { readonly kind: "deployment"; readonly deploymentId: string }
  | { readonly kind: "project"; readonly projectId: string }
  /** Somebody got in line for a builder, or left it. */
  | { readonly kind: "build_queue" }
  | { readonly kind: "identity" };

/** Tells other processes that something changed, when the transaction commits. Only a hint: readers look at the table. */
export interface Announce {
  announce(change: Change): Promise<void>;
}

export interface Changes {
  /**
   * Resolves once `look` answers true, after `ms`, or when the signal fires. It is asked at the start and again at
   * each such change (any of several), so that a notice of something older ends nothing.
   */
  waitFor(
    change: Change | readonly Change[],
    options: { ms: number; signal?: AbortSignal; look: () => Promise<boolean> },
  ): Promise<void>;
  on(kind: Change["kind"], listener: (change: Change) => void): () => void;
}
