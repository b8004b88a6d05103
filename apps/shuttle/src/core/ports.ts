import type { CronRunReport, Snapshot, StatusReport } from "@starform/contract/clusters";
import type { Capacity } from "./cluster.ts";
import type { KeptOverrides, Override } from "./overrides.ts";
import type { ServiceKey } from "./service-key.ts";

/** A document of desired state as it was sent: the text is what the signature is of, so it is kept as it came. */
export type SentDocument = {
  readonly text: string;
  readonly signature: string | undefined;
  readonly etag: string | undefined;
};

export type Fetched =
  | { readonly kind: "unchanged" }
  /** Not looked at yet: `judgeDocument` says whether it may be believed. */
  | ({ readonly kind: "document" } & SentDocument);

/** A snapshot that Starbase did not count, and why. */
export type NotCounted = {
  readonly podId: string;
  readonly key: ServiceKey | undefined;
  readonly reason: string;
};
/** A report that Starbase did not take, and why: it names the service, in whatever environment. */
export type NotTaken = { readonly serviceId: string; readonly reason: string };

/** Starbase, as a Shuttle sees it. Every call rejects with a Fault; `unavailable` when it cannot be reached. */
export interface Starbase {
  /** Waits up to `waitSeconds` for something newer than the etag. */
  fetchDesired(etag: string | undefined, waitSeconds: number, signal: AbortSignal): Promise<Fetched>;
  /** Why which of them are not counted; the rest is. */
  postSnapshots(snapshots: readonly Snapshot[], signal: AbortSignal): Promise<readonly NotCounted[]>;
  postCapacity(
    capacity: Capacity & { readonly softLimit: number; readonly at: Date },
    signal: AbortSignal,
  ): Promise<void>;
  /** Of the reports that were not taken. */
  postStatus(
    reports: readonly StatusReport[],
    cronRuns: readonly CronRunReport[],
    signal: AbortSignal,
  ): Promise<readonly NotTaken[]>;
  register(what: Registration, signal: AbortSignal): Promise<void>;
}
export type Registration = {
  readonly shuttleVersion: string;
  readonly runtime: string;
  readonly kubernetesVersion: string | null;
  readonly capabilities: readonly string[];
  readonly region: string;
};

/** The last good desired state and what was before it, kept where the cluster is, over restarts and outages. */
export interface DesiredStore {
  /** What is kept and readable, the newest first. Whoever reads it checks the signature again: a store may be edited. */
  load(): Promise<readonly SentDocument[]>;
  /** Keeps it before anything acts on it, beside those before it. Equal text is kept once. */
  save(document: SentDocument): Promise<void>;
  /** Forgets what is older than the ten before the last: nobody waits for it. */
  prune(): Promise<void>;
}

/** What people with the cluster's own credentials decided while Starbase could not. */
export interface OverrideStore {
  /** What is kept; of what cannot be read its name alone. */
  list(): Promise<KeptOverrides>;
  /** Keeps it in place of the key's earlier one. */
  put(override: Override): Promise<void>;
  /** Forgets the key's override, if it is still the one of that time; without a time whatever is kept of the key. */
  remove(override: { readonly key: string; readonly at?: string }): Promise<void>;
  /** Tells of every change, another process's too; and once at first, when none can be missed any more. */
  onChange(changed: () => void): AsyncDisposable;
}

/** Snapshots that Starbase has not taken yet, kept over outages and, where there is a disk, over restarts. */
export interface SnapshotLog {
  readonly outlivesProcess: boolean;
  /** The latest tick that was ever written down; undefined where nobody knows. */
  writtenThrough(): Date | undefined;
  /** Keeps what ran at the tick, beside what of it is kept already. */
  append(snapshots: readonly Snapshot[], at: Date): void;
  /** The oldest batch; undefined when all were taken. */
  oldest(): { readonly name: string; readonly snapshots: readonly Snapshot[] } | undefined;
  taken(name: string): void;
  /** Puts a batch aside that Starbase will never take, so that the others get through. */
  refused(name: string): void;
}
