/** Answers of POSTs that create, kept for a day so that a repeat creates nothing twice. */
export interface IdempotencyStore {
  /** Takes the key for a request, or says what stands there. */
  begin(
    userId: string,
    key: string,
    requestDigest: string,
    now: Date,
  ): Promise<
    { outcome: "begun" | "running" | "other_request" } | { outcome: "done"; status: number; sealed: string }
  >;
  finish(userId: string, key: string, status: number, sealed: string): Promise<void>;
  /** The request failed: the key is free again. */
  forget(userId: string, key: string): Promise<void>;
  prune(before: Date): Promise<void>;
}
