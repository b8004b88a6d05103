import { clusterIdLabel } from "@starform/cluster-parts/ownership";
import { RegionSettings } from "@starform/cluster-parts/parameters";
import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";

export type Identity = {
  readonly clusterId: string;
  readonly region: string;
  readonly token: string;
  readonly starbaseUrl?: string | undefined;
  readonly signingKeys?: string | undefined;
  readonly settings?: RegionSettings | undefined;
  readonly logsUrl?: string | undefined;
};

type Shuttle = KubeObject & {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
      };
    };
  };
};

/** What Shuttle is installed with in this cluster, read back out of it; undefined where it is not. */
export async function installedBefore(kube: KubeApi): Promise<Identity | undefined> {
  const at = { namespace: "starform-system" };
  const secret = await kube.get({ apiVersion: "v1", kind: "Secret", name: "shuttle-token", ...at });
  const shuttle = (await kube.get({ apiVersion: "apps/v1", kind: "Deployment", name: "shuttle", ...at })) as
    | Shuttle
    | undefined;
  const token = (secret?.["data"] as { token?: string } | undefined)?.token;
  const clusterId = secret?.metadata.labels?.[clusterIdLabel];
  const env = shuttle?.spec?.template?.spec?.containers?.[0]?.env ?? [];
  const valueOf = (name: string) => env.find((each) => each.name === `STARFORM_${name}`)?.value;
  const region = valueOf("REGION");
  if (!token || !clusterId || !region) return undefined;
  return {
    clusterId,
    region,
    token: Buffer.from(token, "base64").toString("utf8"),
    starbaseUrl: valueOf("STARBASE_URL"),
    signingKeys: valueOf("SIGNING_KEYS"),
    settings: settingsOf(valueOf),
    logsUrl: valueOf("LOGS_URL"),
  };
}

function settingsOf(valueOf: (name: string) => string | undefined): RegionSettings {
  const list = (name: string) => valueOf(name)?.split(",").filter(Boolean);
  const number = (name: string) => (valueOf(name) === undefined ? undefined : Number(valueOf(name)));
  return RegionSettings.parse({
    usesProxyProtocol: valueOf("EDGE_PROXY_PROTOCOL") === "true",
    trustedHops: number("EDGE_TRUSTED_HOPS"),
    tlsSecret: valueOf("TLS_SECRET"),
    managedDataCidrs: list("MANAGED_DATA_CIDRS"),
    clusterCidrs: list("CLUSTER_CIDRS"),
    imagePullSecrets: list("IMAGE_PULL_SECRETS"),
    storageClass: valueOf("STORAGE_CLASS"),
    softLimit: number("SOFT_LIMIT"),
  });
}
