import type { ManifestContext } from "./context.ts";
import { clusterLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { gatewayName, gatewayNamespace } from "./names.ts";
import { gatewayTarget } from "./policy-target.ts";

/** More connections and open requests than one service ever has; Envoy's own 1,024 are too few for WebSockets. */
const openMax = 20_000;

/** How Envoy speaks to apps. What is sent again was never received: a request is acted on at most once. */
export const backendTrafficPolicy = (context: ManifestContext): Manifest => ({
  apiVersion: "gateway.envoyproxy.io/v1alpha1",
  kind: "BackendTrafficPolicy",
  metadata: {
    name: gatewayName,
    namespace: gatewayNamespace,
    labels: clusterLabels(context.clusterId),
  },
  spec: {
    targetRefs: [gatewayTarget],
    timeout: {
      tcp: { connectTimeout: "2s" },
      http: {
        // A long answer is no fault; one that is silent for five minutes is over.
        requestTimeout: "0s",
        streamIdleTimeout: "300s",
        // Shorter than servers keep an idle connection (2 s the shortest known): we close first, never they under a request.
        connectionIdleTimeout: "1500ms",
      },
    },
    retry: {
      numRetries: 2,
      retryOn: { triggers: ["connect-failure", "refused-stream", "reset-before-request"] },
      perRetry: { backOff: { baseInterval: "25ms", maxInterval: "250ms" } },
    },
    healthCheck: { active, passive, panicThreshold: 50 },
    loadBalancer: { type: "LeastRequest" },
    circuitBreaker: {
      maxConnections: openMax,
      maxPendingRequests: openMax,
      maxParallelRequests: openMax,
      maxParallelRetries: 1_024,
    },
  },
});

/** Finds an instance on a dead node in 15 s, where the cluster itself takes 40 s. What is healthy is the kubelet's to say. */
const active = {
  type: "TCP",
  tcp: {},
  interval: "5s",
  timeout: "1s",
  unhealthyThreshold: 3,
  healthyThreshold: 1,
};

/** Connections that fail put an instance aside for 10 s; an app's own 5xx answers are the app's, and never do. */
const passive = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 3,
  consecutiveGatewayErrors: 0,
  consecutive5XxErrors: 0,
  interval: "2s",
  baseEjectionTime: "10s",
  maxEjectionPercent: 50,
};
