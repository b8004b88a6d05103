import { kubernetesDesiredStore } from "../adapters/kubernetes/kept/desired-store.ts";
import { keptSecrets } from "../adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesOverrideStore } from "../adapters/kubernetes/kept/override-store.ts";
import { watchKept } from "../adapters/kubernetes/kept/watch-kept.ts";
import { systemNamespace } from "../adapters/kubernetes/manifests/names.ts";
import { openKubeApiOf } from "./open-kubernetes.ts";
import type { ClusterStores, Where } from "./open-stores.ts";

/** In Secrets of Shuttle's own namespace. */
export async function openKubernetesStores(
  config: Where,
  warn: (sentence: string) => void,
): Promise<ClusterStores> {
  const api = await openKubeApiOf(config);
  return {
    desiredStore: kubernetesDesiredStore(keptSecrets(api, systemNamespace, "desired-state")),
    overrides: kubernetesOverrideStore(
      keptSecrets(api, systemNamespace, "overrides"),
      watchKept(api, systemNamespace, "overrides", warn),
    ),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
