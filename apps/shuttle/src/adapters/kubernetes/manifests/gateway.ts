import type { ManifestContext } from "./context.ts";
import { clusterLabels, namespaceRole } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { gatewayName, gatewayNamespace } from "./names.ts";

/** The one Gateway of a cluster. Only routes in a project's namespace may hang on it. */
export const gateway = (context: ManifestContext): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: {
    name: gatewayName,
    namespace: gatewayNamespace,
    labels: clusterLabels(context.clusterId),
  },
  spec: {
    gatewayClassName: gatewayName,
    infrastructure: {
      parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: gatewayName },
    },
    listeners: [{ ...listener(context), allowedRoutes }],
  },
});

const allowedRoutes = {
  namespaces: { from: "Selector", selector: { matchLabels: { [namespaceRole]: "project" } } },
};

/** With a certificate nothing is said in the clear: the edge speaks TLS to us. */
const listener = ({ tlsSecret }: ManifestContext) =>
  tlsSecret === null
    ? { name: "http", port: 80, protocol: "HTTP" }
    : {
        name: "https",
        port: 443,
        protocol: "HTTPS",
        tls: { mode: "Terminate", certificateRefs: [{ name: tlsSecret }] },
      };
