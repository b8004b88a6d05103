import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import type { GatewayRoute } from "@starform/contract/gateway";
import { phaseOf } from "../../core/phase.ts";
import { instanceChecksum } from "../../core/service-checksum.ts";
import type { Ending } from "./describe-ending.ts";
import type { LiveInstance } from "./live-instance.ts";
import type { ServiceMemory } from "./service-memory.ts";

type Seen = {
  readonly service: DesiredService;
  readonly version: number;
  readonly memory: ServiceMemory;
  /** Without those on their way out. */
  readonly present: readonly LiveInstance[];
  readonly crashes: readonly Ending[];
};

/** What is told of a web or worker service. */
export function serviceReport({ service, version, memory, present, crashes }: Seen): StatusReport {
  const checksum = instanceChecksum(service);
  const serving = present.filter((live) => live.isServing);
  const ready = serving.filter((live) => live.checksum === checksum);
  const others = serving.filter((live) => live.checksum !== checksum);
  const failure = memory.failed?.checksum === checksum ? memory.failed : undefined;
  const phase = phaseOf({
    replicas: service.replicas,
    ready: ready.length,
    readyOthers: others.length,
    isProven: memory.good?.checksum === checksum,
    hasFailed: failure !== undefined,
    crashed: crashes.length,
  });
  const isWell = phase === "running" || phase === "stopped";
  const lack = present.find((live) => live.state === "starting" && live.lack !== undefined)?.lack;
  const waits = lack === undefined ? undefined : { reason: lack, lastLines: [] };
  const trouble: (Pick<Ending, "reason"> & Partial<Ending>) | undefined =
    failure ?? (isWell ? undefined : (waits ?? crashes.at(-1)));
  const own = service.provenance.deployment_id;
  return {
    service_id: service.service_id,
    environment: service.environment,
    deployment_id: own,
    observed_version: version,
    phase,
    ready_replicas: ready.length,
    desired_replicas: service.replicas,
    restarts: memory.restarts,
    reason: trouble?.reason ?? null,
    ...(trouble?.lastLines?.length ? { last_lines: [...trouble.lastLines] } : {}),
    serving_deployment_id:
      service.replicas === 0 ? own : (ready[0]?.deploymentId ?? others[0]?.deploymentId ?? null),
  };
}

/** How the gateway explains a service without an upstream. */
export function routeStateOf(phase: StatusReport["phase"], upstreams: number): GatewayRoute["state"] {
  if (upstreams > 0) return "serving";
  if (phase === "starting") return "deploying";
  if (phase === "crashed" || phase === "failed") return "crashed";
  return phase === "stopped" ? "stopped" : "no_instance";
}
