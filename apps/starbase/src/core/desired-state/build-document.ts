import type { DesiredService, DesiredState, Probe } from "@starform/contract/clusters";
import { containerPort } from "@starform/contract/hosts";
import { tiers } from "@starform/contract/names";
import { canonicalJson, digestOf } from "@starform/std/canonical-json";
import { openSnapshot } from "../deployments/snapshot.ts";
import type { SecretBox } from "../variables/ports.ts";
import type { ResolvedGroup } from "../variables/book.ts";
import { imageCredentials, imageForCluster, type OwnRegistry } from "./image-credentials.ts";
import type { DesiredRow } from "./ports.ts";

const defaultTimeoutSeconds = 300;

/** What a cluster should be, from the receipts of what it should run. Pure: equal rows give an equal document. */
export function desiredDocument(input: {
  clusterId: string;
  version: number;
  lbSizeUnits: number;
  rows: readonly DesiredRow[];
  /** What is gone, as `removedServices` tells it. */
  removed: readonly DesiredService[];
  box: SecretBox;
  /** This installation's own. */
  registry?: OwnRegistry | undefined;
  /** See `credentialPeriod`. */
  period: number;
}): DesiredState {
  const services = input.rows.flatMap((row) => desiredService(row, input) ?? []);
  // What was removed may be there again, under the same name.
  const there = new Set(services.map(placeOf));
  return {
    cluster_id: input.clusterId,
    version: input.version,
    cluster_config: { lb_size_units: input.lbSizeUnits },
    services: [...services, ...input.removed.filter((service) => !there.has(placeOf(service)))],
  };
}

const placeOf = ({ project_id, service_id, environment }: DesiredService): string =>
  `${project_id}/${service_id}/${environment}`;

/** The strong ETag of a document: of its content, so that equal content is never sent twice. */
export const etagOf = (document: DesiredState): string => `"${digestOf(document).slice("sha256:".length)}"`;

function desiredService(
  row: DesiredRow,
  input: { box: SecretBox; registry?: OwnRegistry | undefined; period: number },
): DesiredService | undefined {
  const { place, projectSlug, namespace, isEphemeral, deployment, imageTraits } = row;
  const { config } = deployment;
  if (!config || !deployment.image) return undefined;
  const image = imageForCluster(deployment.image, input.registry);
  const snapshot = openSnapshot(input.box, deployment.variables);
  const tier = tiers[config.tier];
  const ports =
    config.serviceType === "web" ? [{ container_port: containerPort, protocol: "TCP" as const }] : [];
  const resources = { cpu_millis: tier.cpuMillis, memory_bytes: tier.memoryBytes };
  const probes = probesOf(config);
  return {
    ...identityOf(place),
    tier: config.tier,
    image,
    image_credentials: imageCredentials(row, { registry: undefined, ...input }),
    image_traits: traitsOf(imageTraits, config.startCommand),
    replicas: config.serviceType === "cron" ? 0 : place.settings.replicas,
    env: {
      ...snapshot.injected,
      ...deploymentVariables(deployment),
      STARFORM_SERVICE_NAME: config.serviceName,
    },
    ports,
    hostname: place.hostname,
    deleted: false,
    project_slug: projectSlug,
    service_name: place.name,
    service_type: config.serviceType,
    namespace,
    var_groups: snapshot.groups.map(desiredGroup),
    probes,
    resources,
    autoscaling: null,
    schedule: config.schedule,
    command: config.startCommand,
    hostnames: place.hostname ? [place.hostname] : [],
    provenance: provenanceOf(place, deployment, image),
    restart_nonce: place.restartNonce,
    is_ephemeral: isEphemeral,
    drain_seconds: place.settings.drainSeconds,
    volumes: [],
    config_checksum: digestOf({ ports, probes, resources }),
  };
}

/** A start command of one's own is another program than the one that the image was made for. */
function traitsOf(
  { hasReadOnlyRoot, hasShell }: DesiredRow["imageTraits"],
  startCommand: string | null,
): DesiredService["image_traits"] {
  const has_read_only_root = hasReadOnlyRoot === true && startCommand === null;
  return has_read_only_root || hasShell ? { has_read_only_root, ...(hasShell && { has_shell: true }) } : null;
}

export const identityOf = (place: DesiredRow["place"]) => ({
  workspace_id: place.workspaceId,
  project_id: place.projectId,
  service_id: place.id,
  environment: place.environment,
});

export const provenanceOf = (
  { source }: DesiredRow["place"],
  deployment: DesiredRow["deployment"],
  image: string,
): DesiredService["provenance"] => ({
  deployment_id: deployment.id,
  build_id: deployment.buildId ?? "",
  git_sha: deployment.commit?.sha ?? "",
  git_ref: deployment.commit?.ref ?? "",
  git_repo: source.kind === "git" ? source.url : "",
  image_ref: image,
  deployed_at: (deployment.deployingAt ?? deployment.createdAt).toISOString(),
  deployed_by: deployment.createdBy,
});

function probesOf(config: NonNullable<DesiredRow["deployment"]["config"]>): DesiredService["probes"] {
  const seconds = config.healthCheck?.timeoutSeconds ?? defaultTimeoutSeconds;
  const probe: Probe =
    config.serviceType !== "web"
      ? { kind: "none", timeout_seconds: seconds }
      : config.healthCheck
        ? { kind: "http", path: config.healthCheck.path, timeout_seconds: seconds }
        : { kind: "tcp", timeout_seconds: seconds };
  return { startup: probe, readiness: probe, liveness: probe };
}

const deploymentVariables = ({ id, commit }: DesiredRow["deployment"]): Record<string, string> => ({
  STARFORM_DEPLOYMENT_ID: id,
  ...(commit
    ? {
        STARFORM_GIT_COMMIT_SHA: commit.sha,
        STARFORM_GIT_BRANCH: commit.ref,
        STARFORM_GIT_COMMIT_MESSAGE: commit.message,
        STARFORM_GIT_AUTHOR: commit.author,
      }
    : {}),
});

/** Checksum: SHA-256 over the entries sorted by name, in canonical JSON. */
const desiredGroup = ({ id, variables }: ResolvedGroup): DesiredService["var_groups"][number] => {
  const byName = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  return {
    var_group_id: id,
    checksum: digestOf(canonicalJson(byName)),
    variables: byName,
    secret_names: variables.filter((v) => v.isSecret).map((v) => v.name),
  };
};
