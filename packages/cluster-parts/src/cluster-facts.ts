import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { isOurs, makerOf } from "./ownership.ts";

/** What a bootstrap looks up instead of asking: it follows from the cluster itself. */
export type ClusterFacts = {
  /** Like "v1.36.2". */
  readonly kubernetesVersion: string;
  readonly nodes: number;
  /** Kubelets that sign their own certificates, as kind's and minikube's do, are believed unchecked. */
  readonly hasSelfSignedKubelets: boolean;
  readonly defaultStorageClass: string | undefined;
  /** Whether Shuttle's own data has a volume: where the cluster can give one, and where it has one already. */
  readonly hasShuttleVolume: boolean;
  /** Who serves metrics.k8s.io, where that is not us. */
  readonly foreignMetricsApi: string | undefined;
  /** Definitions of the Gateway API that somebody else brought, as cloud providers do. */
  readonly foreignGatewayApi: readonly ForeignDefinition[];
};
export type ForeignDefinition = {
  readonly name: string;
  readonly maker: string;
  readonly bundleVersion: string | undefined;
};

const definitions = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };

const shuttleClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  namespace: "starform-system",
  name: "shuttle",
};

export async function readFacts(kube: KubeApi, signal?: AbortSignal): Promise<ClusterFacts> {
  const [kubernetesVersion, nodes, classes, metricsApi, crds, claim] = await Promise.all([
    kube.version(signal),
    kube.list({ apiVersion: "v1", kind: "Node" }, {}, signal),
    kube.list({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass" }, {}, signal),
    kube.get(
      { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", name: "v1beta1.metrics.k8s.io" },
      signal,
    ),
    kube.list(definitions, { metadataOnly: true }, signal),
    kube.get(shuttleClaim, signal),
  ]);
  const defaultStorageClass = classes.items.find(isDefault)?.metadata.name;
  return {
    kubernetesVersion,
    nodes: nodes.items.length,
    hasSelfSignedKubelets: nodes.items.some(isOfLaptop),
    defaultStorageClass,
    hasShuttleVolume: defaultStorageClass !== undefined || claim !== undefined,
    foreignMetricsApi: metricsApi && !isOurs(metricsApi) ? makerOf(metricsApi) : undefined,
    foreignGatewayApi: crds.items
      .filter((crd) => crd.metadata.name.endsWith(".gateway.networking.k8s.io") && !isOurs(crd))
      .map((crd) => ({
        name: crd.metadata.name,
        maker: makerOf(crd),
        bundleVersion: crd.metadata.annotations?.["gateway.networking.k8s.io/bundle-version"],
      })),
  };
}

/** kind says so in the node's provider id, minikube in a label. */
const isOfLaptop = (node: KubeObject): boolean =>
  ((node["spec"] as { providerID?: string } | undefined)?.providerID ?? "").startsWith("kind://") ||
  Object.keys(node.metadata.labels ?? {}).some((label) => label.startsWith("minikube.k8s.io/"));

const isDefault = ({ metadata: { annotations } }: KubeObject): boolean =>
  annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";
