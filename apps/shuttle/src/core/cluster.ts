import type { CronRunReport, DesiredService, DesiredState, StatusReport } from "@starform/contract/clusters";
import type { ServiceKey } from "./service-key.ts";

/** When to look at the key again without being told; undefined waits for an event or the next full pass. */
export type Again = { readonly inMs: number } | undefined;

/** One running instance, as it is metered: what it asks for, not what it uses. */
export type RunningPod = {
  readonly podId: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly environment: string;
  readonly serviceId: string;
  readonly tier: "mininova" | "nova" | "supernova" | "ultranova";
  readonly phase: string;
  readonly cpuRequestMillis: number;
  readonly memoryRequestBytes: number;
  /** Since when it is known to have run; undefined when that is not told. */
  readonly startedAtMs: number | undefined;
};

/** How many of a service's instances are ready, and how many the cluster itself is to have, where it has a say in that. */
export type Readiness = { readonly ready: number; readonly desired?: number };

export type PodUsage = {
  readonly podId: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly environment: string;
  readonly serviceId: string;
  /** Processor time since the instance began. */
  readonly cpuSeconds: number;
  readonly memoryWorkingSetBytes: number;
};

export type Capacity = {
  readonly podCount: number;
  readonly nodes: number;
  readonly cpuAllocatableMillis: number;
  readonly memoryAllocatableBytes: number;
  /** Of the apps' pods, placed or not: what the cluster's own ask for is not in it. */
  readonly cpuRequestedMillis: number;
  readonly memoryRequestedBytes: number;
};

/** How one kind of object is watched. */
export type InformerHealth = {
  /** Like "pods". */
  readonly resource: string;
  /** When it was last heard of; undefined before the first time. */
  readonly lastEventAtMs: number | undefined;
  readonly watchErrors: number;
  /** How often it was so long unheard of that it was read anew. */
  readonly frozenTimes: number;
};

/**
 * What runs the customers' services. Every call is level-triggered: it reads all it needs, so a call that is lost,
 * doubled or cut half way is harmless, and a key that fails leaves every other key alone.
 */
export interface Cluster extends AsyncDisposable {
  readonly runtime: "process" | "docker" | "kubernetes";
  readonly kubernetesVersion: string | null;
  readonly capabilities: readonly string[];
  /**
   * All that is wanted, told before any of it is applied: what several services share is made of all of them, and not of
   * those alone that had their turn since this process began.
   */
  wanted?(services: readonly DesiredService[]): void;
  /** Brings the service one step nearer to what it should be; never waits for a rollout to end. */
  apply(service: DesiredService, version: number, signal: AbortSignal): Promise<Again>;
  /**
   * Knows a service that must be left as it is: it is observed like one that was applied, as it was wanted last where that
   * is known, and nothing is done for it.
   */
  watch(service: DesiredService, version: number): Promise<Again>;
  /** Takes away all that belongs to the key, gracefully; a key that is not there is no error. */
  remove(key: ServiceKey, signal: AbortSignal): Promise<Again>;
  /** What is seen of the service now; undefined if it was never applied. */
  observe(key: ServiceKey): StatusReport | undefined;
  /**
   * Keys that both the stored inventory and the labels on what runs say are ours: nothing else may be removed. This and the
   * other reads that wait for a cluster to be known wait no longer than their signal lets them.
   */
  inventory(signal?: AbortSignal): Promise<readonly ServiceKey[]>;
  /** Rejects while what runs is not known: no answer is not an empty one. */
  runningPods(signal?: AbortSignal): Promise<readonly RunningPod[]>;
  usage(): Promise<readonly PodUsage[]>;
  capacity(signal?: AbortSignal): Promise<Capacity>;
  /** Runs of crons that Starbase has not taken yet; kept over restarts. */
  cronRuns(): readonly CronRunReport[];
  /** Starbase has these: a run that is over is forgotten. */
  cronRunsTaken(runs: readonly CronRunReport[]): Promise<void>;
  /** Makes what the cluster has once what it should be; a cluster that has nothing of the kind leaves it out. */
  configure?(config: DesiredState["cluster_config"], signal: AbortSignal): Promise<Again>;
  /** Of a cluster that is watched through informers. */
  informers?(): readonly InformerHealth[];
  /** Why it cannot be relied on yet; undefined when it can. */
  notReady?(): string | undefined;
  /** Tells that a key should be looked at again. */
  onChange(listener: (key: ServiceKey) => void): Disposable;
}
