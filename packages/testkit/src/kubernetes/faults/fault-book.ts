import { meets, type RequestMatch, type Seen } from "./request-match.ts";

export type AnsweredFault = {
  readonly status: number;
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
};

/** What goes wrong with a request. */
export type Fault =
  /** It is answered with this status and never acted on. */
  | AnsweredFault
  /** It waits that long on the cluster's clock, and is then acted on. */
  | { readonly delayMs: number }
  /** It is never answered, nor acted on. */
  | { readonly hangs: true }
  /** The connection breaks before the request is acted on, or after: the caller cannot know which. */
  | { readonly cut: "before" | "after" }
  /** A write finds that somebody else was quicker. */
  | { readonly conflict: true }
  /** A list shows the state at this older revision. */
  | { readonly staleRevision: number }
  /** A watch ends after so many events. */
  | { readonly cutAfterEvents: number };

export type FaultOptions = {
  /** Only the first so many requests that fit; all by default. */
  readonly times?: number;
  /** So many that fit are spared first. */
  readonly skip?: number;
};

export type FaultBook = {
  add(match: RequestMatch, fault: Fault, options?: FaultOptions): () => void;
  clear(): void;
  /** The fault of this request, counted as used. */
  take(seen: Seen): Fault | undefined;
};

type Entry = { readonly match: RequestMatch; readonly fault: Fault; left: number; skip: number };

export function openFaultBook(): FaultBook {
  let entries: readonly Entry[] = [];
  return {
    add: (match, fault, { times = Number.POSITIVE_INFINITY, skip = 0 } = {}) => {
      const entry = { match, fault, left: times, skip };
      entries = [entry, ...entries];
      return () => void (entries = entries.filter((one) => one !== entry));
    },
    clear: () => void (entries = []),
    take: (seen) => {
      for (const entry of entries) {
        if (entry.left <= 0 || !meets(entry.match, seen)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        return entry.fault;
      }
      return undefined;
    },
  };
}
