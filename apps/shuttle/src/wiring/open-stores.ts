import { join } from "node:path";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { fileDesiredStore } from "../adapters/disk/desired-store.ts";
import { fileOverrideStore } from "../adapters/disk/override-store.ts";
import { kubernetesDesiredStore } from "../adapters/kubernetes/kept/desired-store.ts";
import { keptSecrets } from "../adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesOverrideStore } from "../adapters/kubernetes/kept/override-store.ts";
import { watchKept } from "../adapters/kubernetes/kept/watch-kept.ts";
import { systemNamespace } from "../adapters/kubernetes/manifests/names.ts";
import type { OperatorConfig } from "../config.ts";
import type { DesiredStore, OverrideStore } from "../core/ports.ts";
import { openKubeApiOf } from "./open-kubernetes.ts";

export type ClusterStores = AsyncDisposable & {
  readonly desiredStore: DesiredStore;
  readonly overrides: OverrideStore;
};
type Where = Pick<OperatorConfig, "runtime" | "dir" | "kubernetes">;

/** Where what the cluster must know without Starbase is kept: on the cluster itself, whatever it is. */
export async function storesOf(config: Where, warn: (sentence: string) => void): Promise<ClusterStores> {
  if (config.runtime === "kubernetes") return onKubernetes(await openKubeApiOf(config), warn);
  return {
    desiredStore: fileDesiredStore(join(config.dir, "desired")),
    overrides: fileOverrideStore(join(config.dir, "overrides")),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const onKubernetes = (api: KubeApi, warn: (sentence: string) => void): ClusterStores => ({
  desiredStore: kubernetesDesiredStore(keptSecrets(api, systemNamespace, "desired-state")),
  overrides: kubernetesOverrideStore(
    keptSecrets(api, systemNamespace, "overrides"),
    watchKept(api, systemNamespace, "overrides", warn),
  ),
  [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
});
