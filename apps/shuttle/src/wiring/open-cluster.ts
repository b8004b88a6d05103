import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import type { LogSink } from "../adapters/log-sink.ts";
import type { Time } from "../core/time.ts";
import type { Warn } from "../core/warn.ts";

export type ClusterDeps = { readonly sink: LogSink; readonly warn: Warn; readonly time: Time };

/**
 * Chooses what runs the apps. Another cluster joins here, behind the same seam. Only what is chosen is loaded: the others
 * would take memory for nothing.
 */
export async function openCluster(config: Config, deps: ClusterDeps): Promise<Cluster> {
  if (config.runtime === "kubernetes") {
    const { openKubernetes } = await import("./open-kubernetes.ts");
    return openKubernetes(config, deps);
  }
  const { openLocal } = await import("./open-local.ts");
  return openLocal(config, deps);
}
