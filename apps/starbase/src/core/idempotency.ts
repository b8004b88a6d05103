/** Whose request it is, and what it asks: a repeat is the same in both. */
export type IdempotentRequest = {
  readonly userId: string;
  /** The caller's own word for it. */
  readonly key: string;
  readonly digest: string;
};

/**
 * Answers of POSTs that create, kept for a day so that a repeat creates nothing twice. Only good within the transaction
 * of the work: record, work and answer are kept together or not at all, so whoever dies in between has done nothing.
 */
export interface IdempotencyStore {
  /** Holds the key until the transaction ends, or says what stands there. */
  begin(
    request: IdempotentRequest,
  ): Promise<
    { outcome: "begun" | "running" | "other_request" } | { outcome: "done"; status: number; sealed: string }
  >;
  finish(request: IdempotentRequest, answer: { status: number; sealed: string; at: Date }): Promise<void>;
  prune(before: Date): Promise<void>;
}
