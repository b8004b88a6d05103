import { DesiredService, DesiredState } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";
import { expect, test } from "vitest";
import type { z } from "zod";
import { clusterManifests } from "../../src/adapters/kubernetes/manifests/cluster-manifests.ts";
import { projectManifests } from "../../src/adapters/kubernetes/manifests/project-manifests.ts";
import { manifestsOf } from "../../src/adapters/kubernetes/manifests/service-manifests.ts";
import { group, plain, web } from "./samples.ts";

/** A distinctive value for a field, with what else it takes to matter, and where it is then seen. */
type Sentinel = {
  readonly given: Partial<DesiredService>;
  readonly shown: string | ((made: string) => boolean);
};
type Credentials = NonNullable<DesiredService["image_credentials"]>;
const mark = "sentinel";
const uuid = "5e771e10-0000-4000-8000-00005e771e10";

const text = (field: keyof DesiredService, value: string = mark): Sentinel => ({
  given: { [field]: value },
  shown: value,
});
const provenance = (own: Partial<DesiredService["provenance"]>, shown: string): Sentinel => ({
  given: { provenance: { ...web().provenance, ...own } },
  shown,
});
const port = (own: Partial<DesiredService["ports"][number]>, shown: string): Sentinel => ({
  given: { ports: [{ container_port: 8080, protocol: "TCP", ...own }] },
  shown,
});
const probe = (
  which: keyof DesiredService["probes"],
  own: Partial<DesiredService["probes"]["startup"]>,
  shown: Sentinel["shown"],
): Sentinel => ({
  given: { probes: { ...web().probes, [which]: { kind: "http", path: "/", timeout_seconds: 1, ...own } } },
  shown,
});
const varGroup = (own: Parameters<typeof group>[0], shown: string): Sentinel => ({
  given: { var_groups: [group(own)] },
  shown,
});
const scaled = (own: Partial<NonNullable<DesiredService["autoscaling"]>>, shown: string): Sentinel => ({
  given: {
    autoscaling: { min_replicas: 1, max_replicas: 2, cpu_percent: null, memory_percent: null, ...own },
  },
  shown,
});
const volume = (own: Partial<DesiredService["volumes"][number]>, shown: string): Sentinel => ({
  given: { volumes: [{ name: "data", mount_path: "/data", size_bytes: 1, ...own }] },
  shown,
});
/** Seen inside the Docker config that the Secret holds. */
const signIn = (own: Partial<Credentials>, shown: string): Sentinel => ({
  given: { image_credentials: { registry: "r.example", username: "ada", password: "x", ...own } },
  shown: (made) =>
    [...made.matchAll(/"\.dockerconfigjson":"([^"]+)"/g)].some(([, config]) =>
      Buffer.from(config!, "base64").toString().includes(shown),
    ),
});
const base64 = (value: string) => Buffer.from(value).toString("base64");
const isTcp = (name: string) => (made: string) => made.includes(`"${name}":{"tcpSocket"`);

const sentinels: Readonly<Record<string, Sentinel>> = {
  workspace_id: text("workspace_id", uuid),
  project_id: text("project_id", uuid),
  service_id: text("service_id", uuid),
  environment: text("environment"),
  tier: text("tier", "ultranova"),
  image: text("image"),
  "image_credentials.registry": signIn({ registry: mark }, `{"auths":{"${mark}":`),
  "image_credentials.username": signIn({ username: mark }, `"username":"${mark}"`),
  "image_credentials.password": signIn({ password: mark }, `"password":"${mark}"`),
  "image_traits.has_read_only_root": {
    given: { image_traits: { has_read_only_root: true } },
    shown: `"readOnlyRootFilesystem":true`,
  },
  "image_traits.has_shell": {
    given: { image_traits: { has_read_only_root: false, has_shell: true } },
    shown: `"preStop":{"exec":{"command":["/bin/sh","-c",`,
  },
  replicas: { given: { replicas: 4711 }, shown: `"replicas":4711` },
  env: { given: { env: { SENTINEL_NAME: mark } }, shown: `"SENTINEL_NAME":"${mark}"` },
  "ports.container_port": port({ container_port: 4711 }, `"containerPort":4711`),
  "ports.protocol": port({ protocol: "UDP" }, `{"containerPort":8080,"protocol":"UDP"}`),
  hostname: text("hostname", "sentinel.example.com"),
  deleted: { given: { deleted: true }, shown: (made) => made === "[]" },
  project_slug: text("project_slug"),
  service_name: text("service_name"),
  service_type: text("service_type", "worker"),
  namespace: text("namespace"),
  "var_groups.var_group_id": varGroup({ var_group_id: uuid }, `vg-${uuid}-`),
  "var_groups.checksum": varGroup({ checksum: mark }, digestOf([[group().var_group_id, mark]])),
  "var_groups.variables": varGroup(
    { variables: { SENTINEL_NAME: mark } },
    `"SENTINEL_NAME":"${base64(mark)}"`,
  ),
  "var_groups.secret_names": varGroup({ secret_names: [mark] }, mark),
  "probes.startup.kind": probe("startup", { kind: "tcp" }, isTcp("startupProbe")),
  "probes.startup.path": probe("startup", { path: "/sentinel" }, "/sentinel"),
  "probes.startup.timeout_seconds": probe("startup", { timeout_seconds: 4711 }, `"failureThreshold":4711`),
  "probes.readiness.kind": probe("readiness", { kind: "tcp" }, isTcp("readinessProbe")),
  "probes.readiness.path": probe("readiness", { path: "/sentinel" }, "/sentinel"),
  "probes.readiness.timeout_seconds": probe(
    "readiness",
    { timeout_seconds: 4711 },
    `"progressDeadlineSeconds":${4711 + 120}`,
  ),
  "probes.liveness.kind": probe("liveness", { kind: "tcp" }, isTcp("livenessProbe")),
  "probes.liveness.path": probe("liveness", { path: "/sentinel" }, "/sentinel"),
  "probes.liveness.timeout_seconds": {
    given: {
      probes: {
        startup: { kind: "none", timeout_seconds: 1 },
        readiness: { kind: "none", timeout_seconds: 1 },
        liveness: { kind: "tcp", timeout_seconds: 4711 },
      },
    },
    shown: `"initialDelaySeconds":4711`,
  },
  "resources.cpu_millis": {
    given: { resources: { cpu_millis: 4711, memory_bytes: 1 } },
    shown: `{"cpu":"4711m"`,
  },
  "resources.memory_bytes": {
    given: { resources: { cpu_millis: 1, memory_bytes: 4711 } },
    shown: `"memory":"4711"`,
  },
  "autoscaling.min_replicas": scaled({ min_replicas: 4711, max_replicas: 4712 }, `"minReplicas":4711`),
  "autoscaling.max_replicas": scaled({ max_replicas: 4711 }, `"maxReplicas":4711`),
  "autoscaling.cpu_percent": scaled(
    { cpu_percent: 47 },
    `{"name":"cpu","target":{"type":"Utilization","averageUtilization":47}}`,
  ),
  "autoscaling.memory_percent": scaled(
    { memory_percent: 47 },
    `{"name":"memory","target":{"type":"Utilization","averageUtilization":47}}`,
  ),
  schedule: { given: { service_type: "cron", schedule: "47 11 * * *" }, shown: `"schedule":"47 11 * * *"` },
  command: text("command"),
  hostnames: { given: { hostnames: ["sentinel.example.com"] }, shown: "sentinel.example.com" },
  "provenance.deployment_id": provenance({ deployment_id: uuid }, `Deployment ${uuid} by ada@example.com`),
  "provenance.build_id": provenance({ build_id: mark }, `"starform.io/build-id":"${mark}"`),
  "provenance.git_sha": provenance({ git_sha: mark }, `"starform.io/git-sha":"${mark}"`),
  "provenance.git_ref": provenance({ git_ref: mark }, `"starform.io/git-ref":"${mark}"`),
  "provenance.git_repo": provenance({ git_repo: mark }, `"starform.io/git-repo":"${mark}"`),
  "provenance.image_ref": provenance({ image_ref: mark }, `"starform.io/image-ref":"${mark}"`),
  "provenance.deployed_at": provenance({ deployed_at: mark }, `"starform.io/deployed-at":"${mark}"`),
  "provenance.deployed_by": provenance({ deployed_by: mark }, `"starform.io/deployed-by":"${mark}"`),
  restart_nonce: { given: { restart_nonce: mark }, shown: `"starform.io/restart-nonce":"${mark}"` },
  is_ephemeral: { given: { is_ephemeral: true }, shown: `"starform.io/is-ephemeral":"true"` },
  drain_seconds: { given: { drain_seconds: 4711 }, shown: `"terminationGracePeriodSeconds":${4711 + 10}` },
  "volumes.name": volume({ name: mark }, `"name":"data-${mark}","persistentVolumeClaim"`),
  "volumes.mount_path": volume({ mount_path: "/sentinel" }, `"mountPath":"/sentinel"`),
  "volumes.size_bytes": volume({ size_bytes: 4711 }, `"storage":"4711"`),
  config_checksum: { given: { config_checksum: mark }, shown: `"starform.io/config-checksum":"${mark}"` },
};

/** Of the document: fields that no manifest shows, because: */
const elsewhere: Readonly<Record<string, string>> = {
  cluster_id: "it must be our own, which is in every label already (judgeDocument)",
  version: "it is what reports answer, and says nothing of what to make",
  services: "each is made by itself",
};

const madeOf = (own: Partial<DesiredService>): string => {
  const service = web(own);
  return JSON.stringify(
    [...projectManifests([service], plain), ...manifestsOf(service, plain)].map(({ manifest }) => manifest),
  );
};

/** Paths of all that a wire schema can carry, whatever it is wrapped in. */
function fieldsOf(schema: z.core.$ZodType, path = ""): readonly string[] {
  const { def } = schema._zod as unknown as {
    def: {
      type: string;
      shape?: Record<string, z.core.$ZodType>;
      element?: z.core.$ZodType;
      innerType?: z.core.$ZodType;
    };
  };
  const inner = def.element ?? def.innerType;
  if (inner) return fieldsOf(inner, path);
  if (!def.shape) return [path];
  return Object.entries(def.shape).flatMap(([name, field]) =>
    fieldsOf(field, path ? `${path}.${name}` : name),
  );
}

const serviceFields = fieldsOf(DesiredService);
test("every field of the wire has its sentinel, and no sentinel is of a field that is gone", () => {
  expect(serviceFields.length).toBeGreaterThan(45);
  expect(Object.keys(sentinels).toSorted()).toEqual(serviceFields.toSorted());
});

test.each(Object.entries(sentinels))("%s reaches a manifest", (_field, { given, shown }) => {
  const isShown = typeof shown === "string" ? (made: string) => made.includes(shown) : shown;
  expect(isShown(madeOf({}))).toBe(false);
  expect(isShown(madeOf(given))).toBe(true);
});

test("every field of the document is applied, or has a reason why not", () => {
  const sizeUnit = `"service.beta.kubernetes.io/do-loadbalancer-size-unit":"147"`;
  const applied = (units: number) => JSON.stringify(clusterManifests({ lb_size_units: units }, plain));
  expect(applied(147)).toContain(sizeUnit);
  expect(applied(1)).not.toContain(sizeUnit);
  const fields = Object.keys(DesiredState.shape).filter((field) => !(field in elsewhere));
  expect(fields).toEqual(["cluster_config"]);
  expect(Object.keys(DesiredState.shape.cluster_config.shape)).toEqual(["lb_size_units"]);
});
