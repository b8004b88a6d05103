import { metadataNetworks } from "@starform/std/metadata-networks";
import type { ManifestContext } from "./context.ts";
import { environmentLabels, environmentSelector, namespaceRole } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { isolationName } from "./names.ts";
import type { Project } from "./project.ts";

/** Postgres and Valkey, each plain and as DigitalOcean's managed ones listen. */
const managedDataPorts = [5432, 6379, 25060, 25061];
/** Addresses that are not the internet: the cloud's metadata service, and what only a neighbour answers on. */
const notInternet = { v4: metadataNetworks.v4, v6: [...metadataNetworks.v6, "fc00::/7"] };
/** Where a node's own DNS cache listens. */
const nodeDnsCache = "169.254.20.10/32";

const tcp = (...ports: readonly number[]) => ports.map((port) => ({ port, protocol: "TCP" }));
const dnsPorts = [{ port: 53, protocol: "UDP" }, ...tcp(53)];

/** What an environment's pods may talk to: each other, the gateway's requests, HTTPS, names, managed data. */
export function networkPolicy(project: Project, environment: string, context: ManifestContext): Manifest {
  const place = { ...project, environment };
  const sameEnvironment = { podSelector: { matchLabels: environmentSelector(place) } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: isolationName(environment),
      namespace: project.namespace,
      labels: environmentLabels(place, context.clusterId),
    },
    spec: {
      podSelector: { matchLabels: environmentSelector(place) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [sameEnvironment, { namespaceSelector: { matchLabels: { [namespaceRole]: "gateway" } } }],
        },
      ],
      egress: [{ to: [sameEnvironment] }, internet(context), dns, ...managedData(context)],
    },
  };
}

const dns = {
  to: [
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
    { ipBlock: { cidr: nodeDnsCache } },
  ],
  ports: dnsPorts,
};

function internet({ clusterCidrs }: ManifestContext) {
  const isV6 = (cidr: string) => cidr.includes(":");
  const v4 = [...notInternet.v4, ...clusterCidrs.filter((cidr) => !isV6(cidr))];
  const v6 = [...notInternet.v6, ...clusterCidrs.filter(isV6)];
  return {
    to: [{ ipBlock: { cidr: "0.0.0.0/0", except: v4 } }, { ipBlock: { cidr: "::/0", except: v6 } }],
    ports: tcp(443),
  };
}

const managedData = ({ managedDataCidrs }: ManifestContext) =>
  managedDataCidrs.length === 0
    ? []
    : [{ to: managedDataCidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(...managedDataPorts) }];
