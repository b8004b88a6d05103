import type { OperatorConfig } from "../config.ts";
import type { Readiness } from "../core/cluster.ts";
import type { ServiceKey } from "../core/service-key.ts";

/**
 * What the cluster itself says of its services, with its own credentials; a service that is left out is not seen. Each kind
 * of cluster is loaded where it is asked only.
 */
export async function readReadiness(
  where: OperatorConfig,
  clusterId: string,
): Promise<ReadonlyMap<ServiceKey, Readiness>> {
  if (where.runtime === "kubernetes") {
    const { openKubeApiOf } = await import("./open-kubernetes.ts");
    const { kubernetesReadiness } = await import("../adapters/kubernetes/observe/readiness.ts");
    await using api = await openKubeApiOf(where);
    return await kubernetesReadiness(api, clusterId);
  }
  const { dockerReadiness, processReadiness } = await import("../adapters/local/local-readiness.ts");
  if (where.runtime === "process") return processReadiness(where.dir);
  const { dockerApi } = await import("../adapters/local/docker/docker-api.ts");
  return dockerReadiness(where.dir, dockerApi(where.dockerSocket), clusterId);
}
