import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { gatewayName, gatewayNamespace, httpRouteName, workloadName } from "./names.ts";
import { mainPort } from "./ports.ts";

/** The most hosts a HTTPRoute takes. */
const hostsMax = 16;

/**
 * All hosts of a service, 16 to a route. One rule to a route: the number of a rule is part of the name its metrics have,
 * and must not move.
 */
export function httpRoutes(service: DesiredService, context: ManifestContext): readonly Manifest[] {
  const port = mainPort(service);
  if (service.service_type !== "web" || port === undefined) return [];
  const hosts = hostsOf(service);
  return Array.from({ length: Math.ceil(hosts.length / hostsMax) }, (_, at) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: {
      name: httpRouteName(service, at + 1),
      namespace: service.namespace,
      labels: serviceLabels(service, context.clusterId),
    },
    spec: {
      parentRefs: [{ name: gatewayName, namespace: gatewayNamespace }],
      hostnames: hosts.slice(at * hostsMax, (at + 1) * hostsMax),
      rules: [{ backendRefs: [{ name: workloadName(service), port }] }],
    },
  }));
}

const hostsOf = ({ hostname, hostnames }: DesiredService): string[] => [
  ...new Set([hostname, ...hostnames].filter((host) => host !== null).map((host) => host.toLowerCase())),
];
