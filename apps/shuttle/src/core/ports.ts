import type { CronRunReport, DesiredState, Snapshot, StatusReport } from "@starform/contract/clusters";
import type { Capacity } from "./cluster.ts";

export type Fetched =
  | { readonly kind: "unchanged" }
  /** Not looked at yet: `judgeDocument` says whether it may be believed. */
  | { readonly kind: "document"; readonly document: unknown; readonly etag: string | undefined };

/** Starbase, as a Shuttle sees it. Every call rejects with a Fault; `unavailable` when it cannot be reached. */
export interface Starbase {
  /** Waits up to `waitSeconds` for something newer than the etag. */
  fetchDesired(etag: string | undefined, waitSeconds: number, signal: AbortSignal): Promise<Fetched>;
  postSnapshots(snapshots: readonly Snapshot[], signal: AbortSignal): Promise<void>;
  postCapacity(
    capacity: Capacity & { readonly softLimit: number; readonly at: Date },
    signal: AbortSignal,
  ): Promise<void>;
  /** Sentences of the reports that were not taken. */
  postStatus(
    reports: readonly StatusReport[],
    cronRuns: readonly CronRunReport[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  register(what: Registration, signal: AbortSignal): Promise<void>;
}
export type Registration = {
  readonly shuttleVersion: string;
  readonly runtime: string;
  readonly kubernetesVersion: string | null;
  readonly capabilities: readonly string[];
  readonly region: string;
};

/** The last good desired state, kept over restarts and outages. */
export interface DesiredStore {
  load(): { readonly state: DesiredState; readonly etag: string | undefined } | undefined;
  /** Keeps it before anything acts on it, and the previous ten beside it. */
  save(state: DesiredState, etag: string | undefined): void;
}

/** Snapshots that Starbase has not taken yet, kept over restarts and outages. */
export interface SnapshotLog {
  append(snapshots: readonly Snapshot[], at: Date): void;
  /** The oldest batch; undefined when all were taken. */
  oldest(): { readonly name: string; readonly snapshots: readonly Snapshot[] } | undefined;
  taken(name: string): void;
  /** Puts a batch aside that Starbase will never take, so that the others get through. */
  refused(name: string): void;
}
