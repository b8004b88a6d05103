import type { DesiredService } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";

/** Every variable an instance gets from desired state: own variables first, then groups in order; later wins. */
export function variablesOf(service: DesiredService): Record<string, string> {
  return Object.assign({}, service.env, ...service.var_groups.map((group) => group.variables));
}

/**
 * What an instance was made from. Two services of equal checksum need no new instance; what is left out
 * (names, hosts, drain time, replicas, the size of a volume) may change under a running one.
 */
export function instanceChecksum(service: DesiredService): string {
  const known = checksums.get(service);
  if (known !== undefined) return known;
  const checksum = computed(service);
  checksums.set(service, checksum);
  return checksum;
}

/** A service of a document never changes, and is asked for often. */
const checksums = new WeakMap<DesiredService, string>();

function computed(service: DesiredService): string {
  return digestOf({
    deployment: service.provenance.deployment_id,
    image: service.image,
    command: service.command,
    ...(service.image_traits ? { traits: service.image_traits } : {}),
    variables: variablesOf(service),
    groups: service.var_groups.map((group) => group.checksum),
    config: service.config_checksum,
    ports: service.ports,
    probes: service.probes,
    resources: service.resources,
    tier: service.tier,
    nonce: service.restart_nonce,
    type: service.service_type,
    // A volume grows under what runs.
    volumes: service.volumes.map(({ name, mount_path }) => ({ name, mount_path })),
  });
}
