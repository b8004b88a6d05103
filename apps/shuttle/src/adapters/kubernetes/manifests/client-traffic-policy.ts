import type { ManifestContext } from "./context.ts";
import { clusterLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { gatewayName, gatewayNamespace } from "./names.ts";
import { gatewayTarget } from "./policy-target.ts";

/** What clients of the Gateway may do, and how their address is known. */
export const clientTrafficPolicy = (context: ManifestContext): Manifest => ({
  apiVersion: "gateway.envoyproxy.io/v1alpha1",
  kind: "ClientTrafficPolicy",
  metadata: {
    name: gatewayName,
    namespace: gatewayNamespace,
    labels: clusterLabels(context.clusterId),
  },
  spec: {
    targetRefs: [gatewayTarget],
    // Optional, so that the load balancer's own checks and the moment of switching it on are not refused.
    ...(context.edge.usesProxyProtocol ? { proxyProtocol: { optional: true } } : {}),
    ...(context.edge.trustedHops > 0
      ? { clientIPDetection: { xForwardedFor: { numTrustedHops: context.edge.trustedHops } } }
      : {}),
    ...(context.tlsSecret === null ? {} : { tls: { minVersion: "1.2", alpnProtocols: ["h2", "http/1.1"] } }),
    timeout: {
      http: {
        requestHeadersReceivedTimeout: "10s",
        streamIdleTimeout: "300s",
        // Longer than the 900 s for which the edge keeps a connection: the edge closes first, never we under a request.
        idleTimeout: "960s",
      },
    },
    // As applications expect it: many read headers with underscores.
    headers: { withUnderscoresAction: "Allow" },
    http2: { maxConcurrentStreams: 200 },
  },
});
