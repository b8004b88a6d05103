import type { Cluster } from "./cluster.ts";
import { customKindsOf } from "./kinds/registry.ts";
import type { Kubelet } from "./kubelet/kubelet.ts";
import type { StoreSnapshot } from "./store/store.ts";

const definitions = "customresourcedefinitions.apiextensions.k8s.io";

/**
 * Puts a backup back. The kubelets do not forget what they run: a pod that the backup knows goes on, one that it does
 * not know is ended, and one that had ended by then is started anew.
 */
export function restore(snapshot: StoreSnapshot, cluster: Cluster, kubelet: Kubelet): void {
  for (const definition of cluster.store.list(definitions)) cluster.registry.undefine(definition);
  cluster.store.restore(snapshot);
  cluster.owners.rebuild();
  cluster.nodes.rebuild();
  cluster.events.clear();
  for (const definition of customKindsOf(cluster.store)) cluster.registry.define(definition);
  const known = new Set(cluster.store.list("pods").map(({ metadata }) => metadata.uid));
  for (const uid of kubelet.records.keys()) if (!known.has(uid)) kubelet.records.delete(uid);
  cluster.store.replay();
}

/** Lets every kubelet look at its pods again, because what they do has changed. */
export const wake = ({ store }: Cluster): void => store.replay("pods");
