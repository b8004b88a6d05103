/** Remembers which heads of the built-in repositories were handed on, so that no push is lost and none deploys twice. */
export interface HeadLedger {
  /** Takes a head on; false if it was taken on before by anyone. A new sha of the same ref is a new head. */
  claim(serviceId: string, ref: string, sha: string): Promise<boolean>;
  /** The heads of a service that were taken on, by ref. */
  known(serviceId: string): Promise<ReadonlyMap<string, string>>;
  /** It was handed on, or refused with a reason: nothing is left to do. */
  settle(serviceId: string, ref: string, sha: string): Promise<void>;
  /** The ref is gone. */
  forget(serviceId: string, ref: string): Promise<void>;
  /** Heads whose process died between `claim` and `settle`, claimed longer ago than that: claimed now by the caller. */
  reclaim(olderThanMs: number): Promise<readonly { serviceId: string; ref: string; sha: string }[]>;
}
