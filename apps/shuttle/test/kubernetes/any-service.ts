import type { DesiredService } from "@starform/contract/clusters";
import * as fc from "fast-check";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/);
const variables = fc.dictionary(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,30}$/),
  fc.string({ unit: "grapheme" }),
  {
    maxKeys: 5,
  },
);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const probe = fc.record({
  kind: fc.constantFrom("http", "tcp", "none"),
  path: fc.webPath(),
  timeout_seconds: fc.integer({ min: 1, max: 3_600 }),
});
const port = fc.record({
  container_port: fc.integer({ min: 1, max: 65_535 }),
  protocol: fc.constantFrom("TCP", "UDP"),
});
const percent = fc.option(fc.integer({ min: 1, max: 100 }));

/** Whatever Starbase may say, within the contract. */
export const anyService: fc.Arbitrary<DesiredService> = fc.record({
  workspace_id: fc.uuid(),
  project_id: fc.uuid(),
  service_id: fc.uuid(),
  environment: label,
  tier: fc.constantFrom("mininova", "nova", "supernova", "ultranova"),
  image: digest.map((hash) => `registry.example.com/shop/web@${hash}`),
  image_credentials: fc.option(
    fc.record({ registry: fc.domain(), username: fc.string(), password: fc.string() }),
  ),
  image_traits: fc.option(fc.record({ has_read_only_root: fc.boolean(), has_shell: fc.boolean() })),
  replicas: fc.integer({ min: 0, max: 20 }),
  env: variables,
  ports: fc.array(port, { maxLength: 3 }),
  hostname: fc.option(fc.domain()),
  deleted: fc.constant(false),
  project_slug: label,
  service_name: label,
  service_type: fc.constantFrom("web", "worker", "cron"),
  namespace: label.map((name) => `proj-${name}`),
  var_groups: fc.uniqueArray(
    fc.record({
      var_group_id: fc.uuid(),
      checksum: digest,
      variables,
      secret_names: fc.constant([]),
    }),
    { maxLength: 3, selector: ({ var_group_id }) => var_group_id },
  ),
  probes: fc.record({ startup: probe, readiness: probe, liveness: probe }),
  resources: fc.record({
    cpu_millis: fc.integer({ min: 1, max: 64_000 }),
    memory_bytes: fc.integer({ min: 1, max: 2 ** 40 }),
  }),
  autoscaling: fc.option(
    fc.record({
      min_replicas: fc.integer({ min: 1, max: 5 }),
      max_replicas: fc.integer({ min: 5, max: 20 }),
      cpu_percent: percent,
      memory_percent: percent,
    }),
  ),
  schedule: fc.option(fc.constant("0 4 * * *")),
  command: fc.option(fc.string()),
  hostnames: fc.array(fc.domain(), { maxLength: 40 }),
  provenance: fc.record({
    deployment_id: fc.uuid(),
    build_id: fc.string(),
    git_sha: fc.string(),
    git_ref: fc.string(),
    git_repo: fc.string(),
    image_ref: fc.string(),
    deployed_at: fc.constant("2026-11-29T08:00:00.000Z"),
    deployed_by: fc.emailAddress(),
  }),
  restart_nonce: fc.string(),
  is_ephemeral: fc.boolean(),
  drain_seconds: fc.integer({ min: 0, max: 600 }),
  volumes: fc.uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1 }),
      mount_path: fc.webPath().map((path) => `/data${path}`),
      size_bytes: fc.integer({ min: 1, max: 2 ** 40 }),
    }),
    { maxLength: 3, selector: ({ name }) => name },
  ),
  config_checksum: digest,
});
