import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { workloadName } from "./names.ts";

/** Where autoscaling names no measure. */
const cpuPercentDefault = 80;

/** A service that is scaled to nothing stays there. */
export const isAutoscaled = (service: DesiredService): boolean =>
  service.autoscaling !== null && service.replicas > 0 && service.service_type !== "cron";

/** Undefined for a service whose number of replicas is decided by people. */
export function horizontalPodAutoscaler(
  service: DesiredService,
  context: ManifestContext,
): Manifest | undefined {
  const { autoscaling } = service;
  if (!autoscaling || !isAutoscaled(service)) return undefined;
  const { cpu_percent, memory_percent } = autoscaling;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: {
      name: workloadName(service),
      namespace: service.namespace,
      labels: serviceLabels(service, context.clusterId),
    },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: workloadName(service) },
      minReplicas: autoscaling.min_replicas,
      maxReplicas: autoscaling.max_replicas,
      metrics: [
        ...utilization("cpu", cpu_percent ?? (memory_percent === null ? cpuPercentDefault : null)),
        ...utilization("memory", memory_percent),
      ],
    },
  };
}

const utilization = (name: string, percent: number | null) =>
  percent === null
    ? []
    : [
        {
          type: "Resource",
          resource: { name, target: { type: "Utilization", averageUtilization: percent } },
        },
      ];
