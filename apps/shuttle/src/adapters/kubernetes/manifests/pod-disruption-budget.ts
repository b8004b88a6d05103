import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { podSelector, serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { workloadName } from "./names.ts";

/**
 * Lets a node be emptied one instance at a time. A budget that allows none would hold the cluster's upgrade up for ever;
 * a preview holds nothing up, and nothing that is broken anyway does.
 */
export const podDisruptionBudget = (service: DesiredService, context: ManifestContext): Manifest => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: {
    name: workloadName(service),
    namespace: service.namespace,
    labels: serviceLabels(service, context.clusterId),
  },
  spec: {
    maxUnavailable: service.is_ephemeral ? "100%" : 1,
    selector: { matchLabels: podSelector(service) },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  },
});
