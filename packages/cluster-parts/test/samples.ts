import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { ClusterFacts } from "../src/cluster-facts.ts";
import { ClusterParameters } from "../src/parameters.ts";
import { render } from "../src/render.ts";
import { steps } from "../src/steps.ts";

export const endpoints = {
  logs: { url: "https://logs.nyc3.example.com:6000", token: "logs-token-0123456789" },
  metrics: { url: "https://metrics.nyc3.example.com/api/v1/write", token: "metrics-token-0123456789" },
  monitoring: {
    url: "https://prometheus.example.net/api/prom/push",
    user: "123456",
    password: "glc_0123456789=",
  },
};

export const parameters = (own: Partial<ClusterParameters> = {}): ClusterParameters =>
  ClusterParameters.parse({
    clusterId: "0198c0de-0000-7000-8000-0000000000c1",
    region: "nyc3",
    token: "sfc_0123456789abcdef",
    starbaseUrl: "https://api.starform.app",
    signingKeys: "k1:MCowBQYDK2VwAyEA0123456789",
    endpoints,
    ...own,
  });

export const facts = (own: Partial<ClusterFacts> = {}): ClusterFacts => ({
  kubernetesVersion: "v1.36.2",
  nodes: 3,
  hasSelfSignedKubelets: false,
  defaultStorageClass: "do-block-storage",
  hasShuttleVolume: true,
  foreignMetricsApi: undefined,
  foreignGatewayApi: [],
  ...own,
});

/** Everything a cluster can get, in the order of application. */
export const everything = (
  own: Partial<ClusterParameters> = {},
  ownFacts: Partial<ClusterFacts> = {},
): readonly KubeObject[] => {
  const [given, known] = [parameters(own), facts(ownFacts)];
  return steps.filter((step) => !step.leftOut?.(given, known)).flatMap((step) => render(step, given, known));
};

let maps: readonly KubeObject[] | undefined;

/** The content of a file that a ConfigMap carries. */
export const carried = (name: string, key: string): string => {
  maps ??= everything().filter(({ kind }) => kind === "ConfigMap");
  const map = maps.find(({ metadata }) => metadata.name === name);
  return (map?.["data"] as Record<string, string> | undefined)?.[key] ?? "";
};
