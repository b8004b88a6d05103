import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { projectLimitsName } from "./names.ts";
import type { Project } from "./project.ts";
import { bytes, cpu } from "./quantity.ts";

/** How much of the cluster one project can take. A load balancer or a node's port of its own is never among it. */
export const resourceQuota = (project: Project, context: ManifestContext): Manifest => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: {
    name: projectLimitsName,
    namespace: project.namespace,
    labels: projectLabels(project, context.clusterId),
  },
  spec: {
    hard: {
      "requests.cpu": cpu(context.quota.cpuMillis),
      "requests.memory": bytes(context.quota.memoryBytes),
      "requests.ephemeral-storage": bytes(context.quota.ephemeralStorageBytes),
      pods: String(context.quota.pods),
      persistentvolumeclaims: String(context.quota.volumes),
      "services.loadbalancers": "0",
      "services.nodeports": "0",
    },
  },
});
