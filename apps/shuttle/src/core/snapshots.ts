import { createHash } from "node:crypto";
import type { Snapshot } from "@starform/contract/clusters";
import type { RunningPod } from "./cluster.ts";

/** The tick a moment belongs to: snapshots lie on a grid, so a restart or a clock set back repeats ids and never bills twice. */
export const tickOf = (nowMs: number, intervalMs: number): Date =>
  new Date(Math.floor(nowMs / intervalMs) * intervalMs);

/** The id that the contract names: a repeat of the same snapshot has the same. */
export const snapshotId = ({
  project_id,
  service_id,
  pod_id,
  snapshot_timestamp,
}: Pick<Snapshot, "project_id" | "service_id" | "pod_id" | "snapshot_timestamp">): string =>
  createHash("sha256")
    .update(project_id + service_id + pod_id + snapshot_timestamp)
    .digest("hex");

/** One snapshot per running pod; the id is the same whenever the same pod is seen at the same tick. */
export function snapshotsOf(pods: readonly RunningPod[], tick: Date): Snapshot[] {
  const timestamp = tick.toISOString();
  const unique = new Map(pods.map((pod) => [`${pod.projectId}/${pod.serviceId}/${pod.podId}`, pod]));
  return [...unique.values()].map((pod) => ({
    snapshot_id: snapshotId({
      project_id: pod.projectId,
      service_id: pod.serviceId,
      pod_id: pod.podId,
      snapshot_timestamp: timestamp,
    }),
    workspace_id: pod.workspaceId,
    project_id: pod.projectId,
    environment: pod.environment,
    service_id: pod.serviceId,
    pod_id: pod.podId,
    tier: pod.tier,
    phase: pod.phase,
    snapshot_timestamp: timestamp,
    cpu_request_millis: pod.cpuRequestMillis,
    memory_request_bytes: pod.memoryRequestBytes,
  }));
}
