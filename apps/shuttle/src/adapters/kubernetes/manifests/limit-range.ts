import { tiers } from "@starform/contract/names";
import { ephemeralStorage } from "./app-container.ts";
import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { projectLimitsName } from "./names.ts";
import type { Project } from "./project.ts";
import { bytes, cpu } from "./quantity.ts";

/** A container that says nothing of its size is a Mininova; without it, the quota would refuse such a pod. */
export function limitRange(project: Project, context: ManifestContext): Manifest {
  const smallest = { cpu: cpu(tiers.mininova.cpuMillis), memory: bytes(tiers.mininova.memoryBytes) };
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: {
      name: projectLimitsName,
      namespace: project.namespace,
      labels: projectLabels(project, context.clusterId),
    },
    spec: {
      limits: [
        {
          type: "Container",
          default: { ...smallest, "ephemeral-storage": ephemeralStorage.limit },
          defaultRequest: { ...smallest, "ephemeral-storage": ephemeralStorage.request },
        },
      ],
    },
  };
}
