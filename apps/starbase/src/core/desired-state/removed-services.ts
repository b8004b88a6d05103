import type { DesiredService, Probe } from "@starform/contract/clusters";
import { tiers } from "@starform/contract/names";
import { digestOf } from "@starform/std/canonical-json";
import { identityOf, provenanceOf } from "./build-document.ts";
import type { DesiredRow } from "./ports.ts";

/**
 * What a cluster is told of places that are removed: that they are, and whose they were. Nothing secret is in it, for it
 * is kept in the clear.
 */
export const removedServices = (rows: readonly DesiredRow[]): DesiredService[] =>
  rows.flatMap(({ place, projectSlug, namespace, isEphemeral, deployment }) => {
    const { config, image } = deployment;
    if (!config || !image) return [];
    const tier = tiers[config.tier];
    const resources = { cpu_millis: tier.cpuMillis, memory_bytes: tier.memoryBytes };
    const probe: Probe = { kind: "none", timeout_seconds: 0 };
    const probes = { startup: probe, readiness: probe, liveness: probe };
    return {
      ...identityOf(place),
      tier: config.tier,
      image,
      replicas: 0,
      env: {},
      ports: [],
      hostname: null,
      deleted: true,
      project_slug: projectSlug,
      service_name: place.name,
      service_type: config.serviceType,
      namespace,
      var_groups: [],
      probes,
      resources,
      autoscaling: null,
      schedule: null,
      command: null,
      hostnames: [],
      provenance: provenanceOf(place, deployment, image),
      restart_nonce: place.restartNonce,
      is_ephemeral: isEphemeral,
      drain_seconds: place.settings.drainSeconds,
      volumes: [],
      config_checksum: digestOf({ ports: [], probes, resources }),
    };
  });
