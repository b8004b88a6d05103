import type { Cluster } from "./cluster.ts";
import { clientOf } from "./in-process-client.ts";
import { nodeObject, type NodeSize } from "./nodes/fake-nodes.ts";
import { bundledDefinitions } from "./schema/load-schemas.ts";

export type Bundle = "gateway-api" | "envoy-gateway";

export type Furniture = {
  readonly nodes: readonly NodeSize[];
  readonly bundles: readonly Bundle[];
  readonly hasMetricsServer: boolean;
};

/** What is in a new cluster before anybody uses it. */
export function furnishCluster(cluster: Cluster, { nodes, bundles, hasMetricsServer }: Furniture): void {
  const client = clientOf(cluster, "system:apiserver", "kube-apiserver");
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"])
    client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  client.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: { ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }] },
  });
  client.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "cluster-admin" },
    rules: [
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
      { nonResourceURLs: ["*"], verbs: ["*"] },
    ],
  });
  client.create({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "fake.starform.io/disk",
  });
  if (hasMetricsServer) client.create(metricsService);
  nodes.forEach((size, index) => client.create(nodeObject(size, index, cluster.clock.now())));
  for (const bundle of bundles)
    for (const definition of bundledDefinitions(bundle)) cluster.registry.define(client.create(definition));
}

const metricsService = {
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: { name: "v1beta1.metrics.k8s.io", labels: { "k8s-app": "metrics-server" } },
  spec: {
    group: "metrics.k8s.io",
    version: "v1beta1",
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: "metrics-server", namespace: "kube-system" },
  },
};
