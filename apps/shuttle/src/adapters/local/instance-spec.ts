import { randomBytes } from "node:crypto";
import { containerPort } from "@starform/contract/hosts";
import type { DesiredService } from "@starform/contract/clusters";
import { variablesOf } from "../../core/service-checksum.ts";
import type { InstanceSpec } from "./engine.ts";
import { labelsOf } from "./labels.ts";

export type InstanceOrder = {
  readonly service: DesiredService;
  readonly clusterId: string;
  readonly slot: number;
  readonly machineCpuMillis: number;
  readonly run?: { readonly id: string; readonly scheduledFor: string };
};

const processesMax = 512;
/** Starting takes what the machine has up to here: a quarter of a processor would make every deploy four times as long. */
const startCpuMillis = 2_000;

/** Asks for one instance of the service. */
export function instanceSpec({
  service,
  clusterId,
  slot,
  machineCpuMillis,
  run,
}: InstanceOrder): InstanceSpec {
  const id = `${service.service_name.slice(0, 40)}-${randomBytes(5).toString("hex")}`;
  const { cpu_millis: cpuMillis, memory_bytes: memoryBytes } = service.resources;
  return {
    id,
    labels: labelsOf(service, clusterId, {
      slot,
      ...(run ? { runId: run.id, scheduledFor: run.scheduledFor } : {}),
    }),
    image: service.image,
    imageCredentials: service.image_credentials ?? undefined,
    command: service.command,
    env: { ...variablesOf(service), STARFORM_REPLICA_ID: String(slot), STARFORM_INSTANCE_ID: id },
    port:
      service.service_type === "web"
        ? (service.ports.find((port) => port.protocol === "TCP")?.container_port ?? containerPort)
        : null,
    limits: {
      cpuMillis: Math.max(cpuMillis, Math.min(startCpuMillis, machineCpuMillis)),
      memoryBytes,
      processesMax,
    },
    hasReadOnlyRoot: service.image_traits?.has_read_only_root ?? false,
    volumes: service.volumes.map((volume) => ({
      name: `${service.service_id}-${service.environment}-${volume.name}`,
      mountPath: volume.mount_path,
    })),
  };
}
