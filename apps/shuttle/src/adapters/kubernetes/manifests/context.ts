/** The most that all pods of one project may ask for, at once; new instances beside old ones included. */
export type ProjectQuota = {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly pods: number;
  readonly volumes: number;
};

/** What is the same for all manifests of a cluster. Everything a maker knows beside desired state stands here. */
export type ManifestContext = {
  readonly clusterId: string;
  /** How the load balancer before Envoy hands on the client's address. */
  readonly edge: {
    /** The load balancer speaks PROXY protocol to Envoy. */
    readonly usesProxyProtocol: boolean;
    /** Proxies in front that append to X-Forwarded-For and are believed: 1 behind Cloudflare, 0 without. */
    readonly trustedHops: number;
  };
  /** The Secret beside the Gateway with the Origin Certificate; `null`: plain HTTP only, as on a laptop. */
  readonly tlsSecret: string | null;
  /** The region's subnets of managed Postgres and Valkey. */
  readonly managedDataCidrs: readonly string[];
  /** The cluster's own networks (pods, services, nodes), which no app may reach on 443 by the rule for the internet. */
  readonly clusterCidrs: readonly string[];
  readonly imagePullSecrets: readonly string[];
  /** `null`: the cluster's default. */
  readonly storageClass: string | null;
  readonly quota: ProjectQuota;
  /** The numeric user that apps run as, whatever their image says; Pod Security refuses 0. */
  readonly appUserId: number;
};

const gib = 2 ** 30;
/** A quarter of a cluster of 1,000 pods; enough for 64 Supernovas that are all replaced at once. */
const standardQuota: ProjectQuota = {
  cpuMillis: 128_000,
  memoryBytes: 256 * gib,
  ephemeralStorageBytes: 500 * gib,
  pods: 250,
  volumes: 50,
};

/** Of no user that images bring along, and not root. */
export const standardUserId = 1_000;

/** A context for a cluster of which nothing but its id is known. */
export const plainContext = (
  clusterId: string,
  own: Partial<Omit<ManifestContext, "clusterId">> = {},
): ManifestContext => ({
  clusterId,
  edge: { usesProxyProtocol: false, trustedHops: 0 },
  tlsSecret: null,
  managedDataCidrs: [],
  clusterCidrs: [],
  imagePullSecrets: [],
  storageClass: null,
  quota: standardQuota,
  appUserId: standardUserId,
  ...own,
});
