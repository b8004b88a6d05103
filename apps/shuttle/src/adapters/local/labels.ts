import type { DesiredService } from "@starform/contract/clusters";
import type { RunningPod } from "../../core/cluster.ts";
import { instanceChecksum } from "../../core/service-checksum.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import type { Instance } from "./engine.ts";

type Labels = Readonly<Record<string, string>>;
const name = (short: string): string => `starform.io/${short}`;

/** Everything an instance is found again and attributed by. */
export function labelsOf(
  service: DesiredService,
  clusterId: string,
  own: { slot: number; runId?: string; scheduledFor?: string },
): Labels {
  const { provenance } = service;
  const labels = {
    "managed-by": "shuttle",
    "cluster-id": clusterId,
    "workspace-id": service.workspace_id,
    "project-id": service.project_id,
    "project-slug": service.project_slug,
    environment: service.environment,
    "service-id": service.service_id,
    "service-name": service.service_name,
    "service-type": service.service_type,
    tier: service.tier,
    namespace: service.namespace,
    "is-ephemeral": String(service.is_ephemeral),
    "deployment-id": provenance.deployment_id,
    "build-id": provenance.build_id,
    "git-sha": provenance.git_sha,
    "git-ref": provenance.git_ref,
    "git-repo": provenance.git_repo,
    "image-ref": provenance.image_ref,
    "deployed-at": provenance.deployed_at,
    "deployed-by": provenance.deployed_by,
    "config-checksum": service.config_checksum,
    "restart-nonce": service.restart_nonce,
    "cpu-millis": String(service.resources.cpu_millis),
    "memory-bytes": String(service.resources.memory_bytes),
    "instance-checksum": instanceChecksum(service),
    slot: String(own.slot),
    ...(own.runId ? { "run-id": own.runId } : {}),
    ...(own.scheduledFor ? { "scheduled-for": own.scheduledFor } : {}),
  };
  return Object.fromEntries(Object.entries(labels).map(([short, value]) => [name(short), value]));
}

export const label = (labels: Labels, short: string): string => labels[name(short)] ?? "";

export const keyOfLabels = (labels: Labels): ServiceKey =>
  keyOf({
    project_id: label(labels, "project-id"),
    environment: label(labels, "environment"),
    service_id: label(labels, "service-id"),
  });

/** Whether Shuttle of this cluster made it: anything else is never touched. */
export const isOurs = (labels: Labels, clusterId: string): boolean =>
  label(labels, "managed-by") === "shuttle" && label(labels, "cluster-id") === clusterId;

export const podOf = ({ id, labels, startedAtMs }: Instance): RunningPod => ({
  podId: id,
  workspaceId: label(labels, "workspace-id"),
  projectId: label(labels, "project-id"),
  environment: label(labels, "environment"),
  serviceId: label(labels, "service-id"),
  tier: label(labels, "tier") as RunningPod["tier"],
  phase: "Running",
  cpuRequestMillis: Number(label(labels, "cpu-millis")),
  memoryRequestBytes: Number(label(labels, "memory-bytes")),
  startedAtMs,
});
