import { join } from "node:path";
import { fileDesiredStore } from "../adapters/disk/desired-store.ts";
import { fileOverrideStore } from "../adapters/disk/override-store.ts";
import type { Config } from "../config.ts";
import type { DesiredStore, OverrideStore } from "../core/ports.ts";

export type ClusterStores = { readonly desiredStore: DesiredStore; readonly overrides: OverrideStore };

/** Where what the cluster must know without Starbase is kept. */
export const storesOf = (config: Pick<Config, "dir">): ClusterStores => ({
  desiredStore: fileDesiredStore(join(config.dir, "desired")),
  overrides: fileOverrideStore(join(config.dir, "overrides")),
});
