import { join } from "node:path";
import { fileDesiredStore } from "../adapters/disk/desired-store.ts";
import { fileOverrideStore } from "../adapters/disk/override-store.ts";
import type { OperatorConfig } from "../config.ts";
import type { DesiredStore, OverrideStore } from "../core/ports.ts";

export type ClusterStores = AsyncDisposable & {
  readonly desiredStore: DesiredStore;
  readonly overrides: OverrideStore;
};
export type Where = Pick<OperatorConfig, "runtime" | "dir" | "kubernetes">;

/** Where what the cluster must know without Starbase is kept: on the cluster itself, whatever it is. */
export async function storesOf(config: Where, warn: (sentence: string) => void): Promise<ClusterStores> {
  if (config.runtime === "kubernetes")
    return (await import("./open-kubernetes-stores.ts")).openKubernetesStores(config, warn);
  return {
    desiredStore: fileDesiredStore(join(config.dir, "desired")),
    overrides: fileOverrideStore(join(config.dir, "overrides")),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
