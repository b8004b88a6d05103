import type { CronRunReport, DesiredService, Snapshot } from "@starform/contract/clusters";

import type { Page } from "../projects/ports.ts";

export type Cluster = {
  readonly id: string;
  readonly regionId: string;
  readonly runtime: string;
  readonly lbSizeUnits: number;
  readonly desiredVersion: number;
};

/** How full a cluster is, as its Shuttle told last. */
export type ClusterRoom = {
  readonly id: string;
  readonly pods: number | null;
  readonly podsSoftLimit: number | null;
  readonly lastSeenAt: Date | null;
  readonly createdAt: Date;
};

export type MeteredPlace = Pick<Snapshot, "workspace_id" | "project_id" | "service_id" | "environment">;

export interface ClusterStore {
  /** Makes the region and cluster, or takes over a changed token and runtime. */
  ensure(cluster: {
    id: string;
    regionId: string;
    runtime: string;
    tokenHash: Buffer;
    createdAt: Date;
  }): Promise<void>;
  /** What a new project's cluster is chosen by. */
  rooms(): Promise<readonly ClusterRoom[]>;
  byId(id: string): Promise<Cluster | undefined>;
  byToken(tokenHash: Buffer): Promise<Cluster | undefined>;
  /**
   * Bumps the desired version under the row's lock, and announces it. `removed` is what left desired state with this
   * change: it is told as deleted until the cluster has seen it.
   */
  bumpVersion(id: string, removed?: readonly DesiredService[]): Promise<void>;
  setRegistration(
    id: string,
    registration: Record<string, unknown>,
    runtime: string,
    at: Date,
  ): Promise<void>;
  setCapacity(id: string, capacity: Record<string, unknown>, at: Date): Promise<void>;
  /**
   * Those that are places of services in projects of the cluster, or were metered as such before: of what was deleted
   * since, the last minutes may still be in the cluster's log.
   */
  meteredPlaces(clusterId: string, places: readonly MeteredPlace[]): Promise<MeteredPlace[]>;
  /** Counts snapshots that were not seen before. Answers how many were new. */
  takeSnapshots(clusterId: string, snapshots: readonly Snapshot[], at: Date): Promise<number>;
  /** Keeps what is told of a run, unless it is known how it ended. */
  takeCronRun(projectless: { serviceId: string; environmentId: string }, run: CronRunReport): Promise<void>;
  /** Ends as unknown every run that is known to go on and is not one of these. */
  endOtherRuns(
    place: { serviceId: string; environmentId: string },
    runIds: readonly string[],
    reason: string,
  ): Promise<void>;
  /** Latest first; `before` is the id of a run. */
  cronRuns(serviceId: string, environmentId: string, page: Page): Promise<CronRunReport[]>;
  /**
   * Forgets up to `max` runs that were due before then, never one of the newest `kept` of a cron or one that goes on. Answers
   * how many.
   */
  pruneCronRuns(bounds: {
    readonly before: Date;
    readonly kept: number;
    readonly max: number;
  }): Promise<number>;
  /** Rows older than this are no longer needed to know a repeat. */
  pruneSnapshots(before: Date): Promise<void>;
}
