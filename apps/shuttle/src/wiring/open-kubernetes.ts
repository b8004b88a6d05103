import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import { openKubernetesCluster } from "../adapters/kubernetes/kubernetes-cluster.ts";
import { keptSecrets } from "../adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesToldEndings } from "../adapters/kubernetes/kept/told-endings.ts";
import { systemNamespace } from "../adapters/kubernetes/manifests/names.ts";
import { plainContext } from "../adapters/kubernetes/manifests/context.ts";
import type { ClusterDeps } from "./open-cluster.ts";

type Where = {
  readonly kubeconfigFile: string | undefined;
  readonly account?: { readonly mount: string | undefined; readonly server: string | undefined };
};

/** The API server of `KUBECONFIG`, or of the cluster that this process is a pod of. */
export const openKubeApiOf = ({ kubernetes }: { readonly kubernetes: Where }): Promise<KubeApi> =>
  openKubeApi(
    kubernetes.kubeconfigFile
      ? { kubeconfigFile: kubernetes.kubeconfigFile }
      : { inCluster: true, ...kubernetes.account },
    { userAgent: "starform-shuttle" },
  );

/** Apps as pods of a Kubernetes cluster. */
export async function openKubernetes(config: Config, { sink, warn, time }: ClusterDeps): Promise<Cluster> {
  const { kubeconfigFile: _file, account: _account, ...own } = config.kubernetes;
  const api = await openKubeApiOf(config);
  const told = kubernetesToldEndings(keptSecrets(api, systemNamespace, "told-endings"));
  return openKubernetesCluster({
    api,
    ...(config.logs ? { logs: { sink, told } } : {}),
    context: plainContext(config.clusterId, own),
    warn,
    nowMs: () => time.nowMs(),
  });
}
