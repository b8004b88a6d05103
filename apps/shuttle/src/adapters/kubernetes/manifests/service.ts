import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { podSelector, serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { workloadName } from "./names.ts";
import { portsOf } from "./ports.ts";

/** The address of a service within its cluster; undefined for one that listens nowhere. */
export function service(desired: DesiredService, context: ManifestContext): Manifest | undefined {
  const ports = portsOf(desired);
  if (ports.length === 0 || desired.service_type === "cron") return undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: workloadName(desired),
      namespace: desired.namespace,
      labels: serviceLabels(desired, context.clusterId),
    },
    spec: {
      type: "ClusterIP",
      selector: podSelector(desired),
      ports: ports.map(({ container_port, protocol }) => ({
        name: `${protocol.toLowerCase()}-${container_port}`,
        port: container_port,
        targetPort: container_port,
        protocol,
      })),
    },
  };
}
