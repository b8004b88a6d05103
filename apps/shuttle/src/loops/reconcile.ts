import type { DesiredService, DesiredState } from "@starform/contract/clusters";
import type { Cluster } from "../core/cluster.ts";
import { clusterKey, keyOf, type ServiceKey } from "../core/service-key.ts";
import type { Reconcile } from "./work-queue.ts";

type Deps = {
  readonly desired: () => DesiredState | undefined;
  readonly cluster: Cluster;
  readonly isLeftAlone: (key: ServiceKey) => boolean;
  readonly looked: (key: ServiceKey) => void;
};

/** Makes one key what it should be. Only a document that is there and does not want it takes anything away. */
export const reconcileService =
  ({ desired, cluster, isLeftAlone, looked }: Deps): Reconcile =>
  async (key, signal) => {
    const state = desired();
    if (!state) return undefined;
    if (key === clusterKey) return cluster.configure?.(state.cluster_config, signal);
    const service = find(state, key);
    try {
      const isWanted = service !== undefined && !service.deleted;
      if (isLeftAlone(key)) return isWanted ? await cluster.watch(service, state.version) : undefined;
      if (isWanted) return await cluster.apply(service, state.version, signal);
      return (await cluster.inventory(signal)).includes(key) ? await cluster.remove(key, signal) : undefined;
    } finally {
      looked(key);
    }
  };

const indexes = new WeakMap<DesiredState, Map<ServiceKey, DesiredService>>();
function find(state: DesiredState, key: ServiceKey): DesiredService | undefined {
  const index = indexes.get(state) ?? new Map(state.services.map((service) => [keyOf(service), service]));
  indexes.set(state, index);
  return index.get(key);
}
