import { join } from "node:path";
import { fileDesiredStore } from "../adapters/disk/desired-store.ts";
import { fileOverrideStore } from "../adapters/disk/override-store.ts";
import type { OperatorConfig } from "../config.ts";
import type { DesiredStore, OverrideStore } from "../core/ports.ts";

export type ClusterStores = AsyncDisposable & {
  readonly desiredStore: DesiredStore;
  readonly overrides: OverrideStore;
};

/** Where what the cluster must know without Starbase is kept. */
export async function storesOf({ dir }: Pick<OperatorConfig, "dir">): Promise<ClusterStores> {
  return {
    desiredStore: fileDesiredStore(join(dir, "desired")),
    overrides: fileOverrideStore(join(dir, "overrides")),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
