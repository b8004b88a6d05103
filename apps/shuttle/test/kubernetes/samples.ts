import type { DesiredService } from "@starform/contract/clusters";
import { clusterManifests } from "../../src/adapters/kubernetes/manifests/cluster-manifests.ts";
import { plainContext, type ManifestContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import type { Manifest, ManifestStep } from "../../src/adapters/kubernetes/manifests/manifest.ts";
import { projectManifests } from "../../src/adapters/kubernetes/manifests/project-manifests.ts";
import { manifestsOf } from "../../src/adapters/kubernetes/manifests/service-manifests.ts";
import { aService } from "../desired.ts";

const id = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`;
export const clusterId = id("c");
export const digest = `sha256:${"d".repeat(64)}`;

/** A web service whose every id is known. */
export const web = (own: Partial<DesiredService> = {}): DesiredService => ({
  ...aService({ image: `registry.example.com/shop/web@${digest}`, hostname: "web-shop.starform.app" }),
  workspace_id: id("1"),
  project_id: id("2"),
  service_id: id("3"),
  provenance: {
    deployment_id: id("4"),
    build_id: id("5"),
    git_sha: "a".repeat(40),
    git_ref: "refs/heads/main",
    git_repo: "https://git.example.com/shop.git",
    image_ref: `registry.example.com/shop/web@${digest}`,
    deployed_at: "2026-11-29T08:00:00.000Z",
    deployed_by: "ada@example.com",
  },
  ...own,
});

const none = { kind: "none", timeout_seconds: 300 } as const;
export const worker = (own: Partial<DesiredService> = {}): DesiredService =>
  web({
    service_type: "worker",
    service_name: "mailer",
    ports: [],
    hostname: null,
    probes: { startup: none, readiness: none, liveness: none },
    ...own,
  });

export const cron = (own: Partial<DesiredService> = {}): DesiredService =>
  worker({ service_type: "cron", service_name: "nightly", replicas: 0, schedule: "0 4 * * *", ...own });

export const group = (
  own: Partial<DesiredService["var_groups"][number]> = {},
): DesiredService["var_groups"][number] => ({
  var_group_id: id("6"),
  checksum: "sha256:group",
  variables: { DATABASE_URL: "postgres://shop:secret@db/shop", LEVEL: "info" },
  secret_names: ["DATABASE_URL"],
  ...own,
});

/** Everything a service can have. */
export const richest = (own: Partial<DesiredService> = {}): DesiredService =>
  web({
    env: { LEVEL: "warn" },
    replicas: 3,
    image_traits: { has_read_only_root: true },
    command: "node server.js --port $PORT",
    var_groups: [group(), group({ var_group_id: id("7"), variables: {}, secret_names: [] })],
    autoscaling: { min_replicas: 3, max_replicas: 9, cpu_percent: 70, memory_percent: 85 },
    hostnames: ["web-shop.starform.app", "shop.example.com"],
    volumes: [{ name: "uploads", mount_path: "/data/uploads", size_bytes: 10 * 2 ** 30 }],
    ports: [
      { container_port: 8080, protocol: "TCP" },
      { container_port: 9000, protocol: "UDP" },
    ],
    ...own,
  });

export const plain: ManifestContext = plainContext(clusterId);
export const production: ManifestContext = plainContext(clusterId, {
  edge: { usesProxyProtocol: true, trustedHops: 1 },
  tlsSecret: "origin-certificate",
  managedDataCidrs: ["10.10.0.0/16"],
  clusterCidrs: ["10.20.0.0/18", "10.30.0.0/22", "fd12::/64"],
  imagePullSecrets: ["registry"],
  storageClass: "do-block-storage",
  appUserId: 1_001,
});

export const allSteps = (service: DesiredService, context: ManifestContext): readonly ManifestStep[] => [
  ...clusterManifests({ lb_size_units: 3 }, context),
  ...projectManifests([service], context),
  ...manifestsOf(service, context),
];

/** The one manifest of a kind among all that is made of a service. */
export function theOnly(kind: string, service: DesiredService, context = plain): Manifest {
  const found = allSteps(service, context).filter(({ manifest }) => manifest.kind === kind);
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`${found.length} manifests of the kind ${kind}, not one`);
  return only.manifest;
}
