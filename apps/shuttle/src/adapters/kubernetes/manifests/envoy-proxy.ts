import type { DesiredState } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { clusterLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { gatewayName, gatewayNamespace } from "./names.ts";
import { bytes, cpu, mib } from "./quantity.ts";

const loadBalancer = "service.beta.kubernetes.io/do-loadbalancer-";
export const loadBalancerSizeAnnotation = `${loadBalancer}size-unit`;

const proxySize = { cpu: cpu(500), memory: bytes(512 * mib) };

/** How the Gateway's proxies and their load balancer are. The cloud's controller resizes it when the annotation changes. */
export const envoyProxy = (
  { lb_size_units }: DesiredState["cluster_config"],
  context: ManifestContext,
): Manifest => ({
  apiVersion: "gateway.envoyproxy.io/v1alpha1",
  kind: "EnvoyProxy",
  metadata: {
    name: gatewayName,
    namespace: gatewayNamespace,
    labels: clusterLabels(context.clusterId),
  },
  spec: {
    provider: {
      type: "Kubernetes",
      kubernetes: {
        envoyDeployment: {
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          container: { resources: { requests: proxySize, limits: { memory: bytes(2_048 * mib) } } },
        },
        envoyHpa: { minReplicas: 2, maxReplicas: 8, metrics: [busy] },
        envoyPDB: { maxUnavailable: 1 },
        envoyService: {
          type: "LoadBalancer",
          // Any node takes any connection: a proxy that goes takes none of its node's with it.
          externalTrafficPolicy: "Cluster",
          annotations: {
            [loadBalancerSizeAnnotation]: String(lb_size_units),
            ...(context.edge.usesProxyProtocol ? { [`${loadBalancer}enable-proxy-protocol`]: "true" } : {}),
          },
        },
      },
    },
    telemetry: { metrics: { prometheus: {} } },
    shutdown: { minDrainDuration: "10s", drainTimeout: "60s" },
  },
});

const busy = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
};
