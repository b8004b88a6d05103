import type { ClusterFacts } from "./cluster-facts.ts";
import type { ClusterParameters } from "./parameters.ts";

/** One step: the files of one folder of deploy/cluster that are applied together, and are ready before the next begins. */
export type Step = {
  readonly name: string;
  /** For a person: what is there when it is done. */
  readonly brings: string;
  readonly folder: string;
  readonly files: readonly string[] | "all";
  /** Undefined: it is applied. Else the sentence that says why not. */
  readonly leftOut?: (parameters: ClusterParameters, facts: ClusterFacts) => string | undefined;
};

const withoutRegion = ({ endpoints }: ClusterParameters) =>
  endpoints ? undefined : "no region's endpoints were given: nothing would take what it sends";

/** In the order of the specification, and taken away in the reverse of it. Parts of Starform come last: they need the others. */
export const steps: readonly Step[] = [
  {
    name: "namespaces",
    brings: "the namespaces and who may speak to them",
    folder: "namespaces",
    files: "all",
  },
  {
    name: "gateway-api",
    brings: "the kinds of the Gateway API",
    folder: "gateway-api",
    files: "all",
    leftOut: (_, { foreignGatewayApi }) => foreignGatewayReason(foreignGatewayApi),
  },
  {
    name: "envoy-gateway-kinds",
    brings: "the kinds of Envoy Gateway",
    folder: "envoy-gateway",
    files: ["crds"],
  },
  {
    name: "envoy-gateway-certificates",
    brings: "the certificates of Envoy Gateway",
    folder: "envoy-gateway",
    files: ["certificates.yaml"],
  },
  { name: "envoy-gateway", brings: "Envoy Gateway", folder: "envoy-gateway", files: ["controller.yaml"] },
  {
    name: "gateway-class",
    brings: "the gateway class",
    folder: "envoy-gateway",
    files: ["gateway-class.yaml"],
  },
  {
    name: "metrics-server",
    brings: "metrics-server",
    folder: "metrics-server",
    files: "all",
    leftOut: (_, { foreignMetricsApi }) =>
      foreignMetricsApi && `the cluster serves metrics.k8s.io already (made by ${foreignMetricsApi})`,
  },
  { name: "kube-state-metrics", brings: "kube-state-metrics", folder: "kube-state-metrics", files: "all" },
  {
    name: "node-agents",
    brings: "Fluent Bit and node-exporter",
    folder: "node-agents",
    files: ["node-agents.yaml"],
    leftOut: withoutRegion,
  },
  { name: "vmagent", brings: "vmagent", folder: "vmagent", files: ["vmagent.yaml"], leftOut: withoutRegion },
  {
    name: "alloy",
    brings: "Grafana Alloy",
    folder: "alloy",
    files: ["alloy.yaml"],
    leftOut: ({ endpoints }) =>
      endpoints?.monitoring ? undefined : "no address of the platform's own monitoring was given",
  },
  {
    name: "shuttle",
    brings: "Shuttle, registered with Starbase",
    folder: "shuttle",
    files: ["cluster-role.yaml", "cluster-role-binding.yaml", "volume-claim.yaml", "shuttle.yaml"],
    leftOut: ({ runsShuttle }) => (runsShuttle ? undefined : "it runs elsewhere"),
  },
];

function foreignGatewayReason(foreign: ClusterFacts["foreignGatewayApi"]): string | undefined {
  const [first] = foreign;
  return (
    first && `${first.maker} has brought them already (${first.bundleVersion ?? "of an unknown version"})`
  );
}
