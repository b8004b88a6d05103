import type { JsonObject } from "../model/json.ts";
import { timestamp } from "../model/object.ts";

/** A machine of the cluster: what it has to give. */
export type NodeSize = {
  readonly name: string;
  /** Quantities; 4 CPUs, 16Gi, 100Gi and 110 pods by default. */
  readonly cpu?: string;
  readonly memory?: string;
  readonly ephemeralStorage?: string;
  readonly pods?: number;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

export const threeNodes: readonly NodeSize[] = ["node-1", "node-2", "node-3"].map((name) => ({ name }));

/** What a kubelet says of its node while all is well, `now`. */
export function nodeConditions(now: Date): readonly JsonObject[] {
  const time = timestamp(now);
  return [
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ].map(([type, status, reason, message]) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  }));
}

/** A node as its kubelet registers it. */
export function nodeObject(size: NodeSize, index: number, now: Date): JsonObject {
  const {
    name,
    cpu = "4",
    memory = "16Gi",
    ephemeralStorage = "100Gi",
    pods = 110,
    zone = "zone-1",
    labels,
  } = size;
  const amounts = { cpu, memory, "ephemeral-storage": ephemeralStorage, pods: String(pods) };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": zone,
        ...labels,
      },
    },
    spec: {
      podCIDR: `10.${index + 1}.0.0/16`,
      podCIDRs: [`10.${index + 1}.0.0/16`],
      providerID: `fake:///${name}`,
    },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: nodeConditions(now),
      addresses: [
        { type: "InternalIP", address: `192.0.2.${index + 1}` },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: {
        machineID: name,
        systemUUID: name,
        bootID: name,
        kernelVersion: "6.8.0",
        osImage: "Debian GNU/Linux 12 (bookworm)",
        containerRuntimeVersion: "containerd://2.1.0",
        kubeletVersion: "v1.36.2",
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: "amd64",
      },
    },
  };
}
