import { createHash } from "node:crypto";
import type { DesiredService } from "@starform/contract/clusters";

const uuid = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
const probe = { kind: "http", path: "/healthz", timeout_seconds: 30 } as const;

/** Web services of three instances each, ten to a project, with variables and a var group. Projects' names begin with `run`. */
export const thousandServices = (count: number, run = "project"): DesiredService[] =>
  Array.from({ length: count }, (_, at) => service(at, `${run}-${Math.floor(at / 10)}`));

function service(at: number, project: string): DesiredService {
  const image = `registry.example.com/bench/web@sha256:${createHash("sha256").update(String(at)).digest("hex")}`;
  return {
    workspace_id: uuid("workspace"),
    project_id: uuid(project),
    service_id: uuid(`${project}-service-${at}`),
    environment: "production",
    tier: "mininova",
    image,
    replicas: 3,
    env: { LEVEL: "info", NAME: `service-${at}` },
    ports: [{ container_port: 8080, protocol: "TCP" }],
    hostname: `service-${at}.example.com`,
    deleted: false,
    project_slug: project,
    service_name: `service-${at}`,
    service_type: "web",
    namespace: `proj-${project}`,
    var_groups: [
      {
        var_group_id: uuid(`group-${project}`),
        checksum: "sha256:group",
        variables: { DATABASE_URL: "postgres://shop:secret@db/shop" },
        secret_names: ["DATABASE_URL"],
      },
    ],
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
    config_checksum: "sha256:config",
    provenance: deployedAs(uuid(`deployment-${at}`), image),
  };
}

const deployedAs = (deployment_id: string, image_ref: string): DesiredService["provenance"] => ({
  deployment_id,
  build_id: "build",
  git_sha: "a".repeat(40),
  git_ref: "refs/heads/main",
  git_repo: "shop",
  image_ref,
  deployed_at: "2026-11-29T08:00:00.000Z",
  deployed_by: "ada@example.com",
});

/** The same service with other variables, as a new deployment. */
export const deployedAnew = (one: DesiredService, round: number): DesiredService => ({
  ...one,
  env: { ...one.env, ROUND: String(round) },
  provenance: deployedAs(uuid(`${one.service_id}-${round}`), one.image),
});
