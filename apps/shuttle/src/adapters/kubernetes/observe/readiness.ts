import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { Readiness } from "../../../core/cluster.ts";
import type { ServiceKey } from "../../../core/service-key.ts";
import { managedBySelector } from "../manifests/labels.ts";
import { deploymentKind } from "../view/kinds.ts";
import { isOfCluster } from "../view/owned-object.ts";
import { deploymentView } from "../view/workload-views.ts";

/** Of each web and worker service that the cluster has, read once. */
export async function kubernetesReadiness(
  api: KubeApi,
  clusterId: string,
): Promise<ReadonlyMap<ServiceKey, Readiness>> {
  const { items } = await api.list(deploymentKind, { labelSelector: managedBySelector, pageSize: 250 });
  return new Map(
    items
      .filter((item) => isOfCluster(item, clusterId))
      .map(deploymentView)
      .flatMap(({ key, readyReplicas, replicas }) =>
        key === undefined ? [] : [[key, { ready: readyReplicas, desired: replicas }] as const],
      ),
  );
}
