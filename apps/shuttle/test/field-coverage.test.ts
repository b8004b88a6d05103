import { DesiredService } from "@starform/contract/clusters";
import { canonicalJson } from "@starform/std/canonical-json";
import { expect, test } from "vitest";
import { instanceSpec } from "../src/adapters/local/instance-spec.ts";
import { serviceRoute } from "../src/adapters/local/service-route.ts";
import { aService, redeployed } from "./desired.ts";

/** Fields that a local cluster reads elsewhere than in what it makes, or not at all, because: */
const elsewhere: Record<string, string> = {
  replicas: "it is the number of instances, not a part of one (conformance: scales up and down)",
  deleted: "it takes the service away (judgeDocument, reconcileService)",
  probes: "they are asked from outside (attendInstance); a change makes new instances through the checksum",
  schedule: "it is when instances begin (cron-schedule)",
  drain_seconds: "it is how long an instance has to end (retireInstance)",
  autoscaling: "not used by local clusters: one machine has no room to scale into; replicas says how many",
};
const sentinels: Partial<Record<keyof DesiredService, Partial<DesiredService>>> = {
  workspace_id: { workspace_id: "sentinel" },
  project_id: { project_id: "5e771e10-0000-4000-8000-000000000000" },
  service_id: { service_id: "5e771e10-0000-4000-8000-000000000000" },
  environment: { environment: "sentinel" },
  tier: { tier: "ultranova" },
  image: { image: "sentinel" },
  image_credentials: { image_credentials: { registry: "r", username: "u", password: "sentinel" } },
  image_traits: { image_traits: { has_read_only_root: true } },
  env: { env: { NAME: "sentinel" } },
  ports: { ports: [{ container_port: 4711, protocol: "TCP" }] },
  hostname: { hostname: "sentinel.localhost" },
  project_slug: { project_slug: "sentinel" },
  service_name: { service_name: "sentinel" },
  service_type: { service_type: "worker" },
  namespace: { namespace: "sentinel" },
  var_groups: {
    var_groups: [{ var_group_id: "g", checksum: "c", variables: { NAME: "sentinel" }, secret_names: [] }],
  },
  resources: { resources: { cpu_millis: 4711, memory_bytes: 4712 } },
  command: { command: "sentinel" },
  hostnames: { hostnames: ["sentinel.example.com"] },
  restart_nonce: { restart_nonce: "sentinel" },
  is_ephemeral: { is_ephemeral: true },
  volumes: { volumes: [{ name: "sentinel", mount_path: "/data", size_bytes: 1 }] },
  config_checksum: { config_checksum: "sentinel" },
};

const base = aService({ image: "image" });
/** All that is made of a service, apart from the random part of an instance's name. */
function madeOf(service: DesiredService): string {
  const spec = instanceSpec({ service, clusterId: "cluster", slot: 0, machineCpuMillis: 2_000 });
  const text = canonicalJson({
    spec,
    route: serviceRoute(service, [], { state: "serving", reason: null, door: null }) ?? null,
  });
  return text.replaceAll(spec.id, "id");
}

test("every field of the wire has an effect on what is made, or a reason why not", () => {
  const fields = Object.keys(DesiredService.shape) as (keyof DesiredService)[];
  expect(fields.length).toBeGreaterThan(25);
  const silent = fields.filter((field) => {
    if (field === "provenance" || field in elsewhere) return false;
    const sentinel = sentinels[field];
    return !sentinel || madeOf({ ...base, ...sentinel }) === madeOf(base);
  });
  expect(silent).toEqual([]);
});

test("every part of the provenance can be read from an instance", () => {
  const marks = Object.fromEntries(
    Object.keys(base.provenance).map((name) => [name, `sentinel-${name}`]),
  ) as DesiredService["provenance"];
  const made = madeOf(redeployed(base, { provenance: marks }));
  expect(Object.values(marks).filter((mark) => !made.includes(mark))).toEqual([]);
});
