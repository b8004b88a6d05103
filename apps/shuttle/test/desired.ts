import { randomUUID } from "node:crypto";
import type { DesiredService, DesiredState } from "@starform/contract/clusters";

const probe = { kind: "http", path: "/healthz", timeout_seconds: 20 } as const;

/** A web service that wants one replica of the image. */
export function aService(own: Partial<DesiredService> & { image: string }): DesiredService {
  const service_name = own.service_name ?? "web";
  return {
    workspace_id: randomUUID(),
    project_id: randomUUID(),
    service_id: randomUUID(),
    environment: "production",
    tier: "mininova",
    replicas: 1,
    env: {},
    ports: [{ container_port: 8080, protocol: "TCP" }],
    hostname: `${service_name}-${randomUUID().slice(0, 8)}.localhost`,
    deleted: false,
    project_slug: "shop",
    service_name,
    service_type: "web",
    namespace: "proj-shop",
    var_groups: [],
    probes: { startup: probe, readiness: probe, liveness: probe },
    resources: { cpu_millis: 250, memory_bytes: 512 * 2 ** 20 },
    autoscaling: null,
    schedule: null,
    command: null,
    hostnames: [],
    restart_nonce: "",
    is_ephemeral: false,
    drain_seconds: 5,
    volumes: [],
    config_checksum: "sha256:0",
    ...own,
    provenance: {
      deployment_id: randomUUID(),
      build_id: "build-1",
      git_sha: "a".repeat(40),
      git_ref: "refs/heads/main",
      git_repo: "shop",
      image_ref: own.image,
      deployed_at: "2026-11-29T08:00:00.000Z",
      deployed_by: "ada@example.com",
      ...own.provenance,
    },
  };
}

/** The same service as a new deployment of it. */
export const redeployed = (service: DesiredService, own: Partial<DesiredService> = {}): DesiredService => ({
  ...service,
  ...own,
  provenance: {
    ...service.provenance,
    deployment_id: randomUUID(),
    image_ref: own.image ?? service.image,
    ...own.provenance,
  },
});

export const aDocument = (cluster_id: string, version: number, services: DesiredService[]): DesiredState => ({
  cluster_id,
  version,
  cluster_config: { lb_size_units: 1 },
  services,
});
