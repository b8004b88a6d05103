import { openBuildKit, type BuildKit } from "@starform/buildkit/client";
import type { Transport } from "@starform/buildkit/transport";
import type { BuildSpec } from "../../ports/build-service.ts";
import type { Watch } from "./watched-build.ts";

/** Where builders for single builds come from. */
export interface BuilderPool {
  /** Makes the workspace's place there; calling it again changes nothing. */
  ensureProject(workspaceId: string): Promise<void>;
  /**
   * Gives a build a builder for as long as `use` takes, and takes it back whatever came of it. Rejects with
   * BuilderLost where there is none to be had now, and as `use` does.
   */
  withBuilder<T>(spec: BuildSpec, watch: Watch, use: (client: BuildKit) => Promise<T>): Promise<T>;
}

/** One endpoint for all: a buildkitd, or the BuildKit of a Docker Engine. Tenants are kept apart by the names of their caches. */
export const onePool = (transport: Transport): BuilderPool => ({
  async ensureProject() {
    // Nothing to make: see above.
  },
  async withBuilder(_spec, _watch, use) {
    await using client = await openBuildKit(transport);
    return await use(client);
  },
});

/** How long a builder keeps what no build used meanwhile. */
export const cacheKeepDays = 14;

export type CacheBounds = { readonly keepBytes: number; readonly keepMs?: number };

/**
 * Removes of a builder's cache what no build used for as long, and then what was used longest ago until it holds no more
 * than that. What a build that runs uses stays, and images are no cache.
 */
export async function pruneCache(
  transport: Transport,
  { keepBytes, keepMs = cacheKeepDays * 86_400_000 }: CacheBounds,
): Promise<void> {
  await using client = await openBuildKit(transport);
  await client.prune({ keepDurationMs: keepMs });
  await client.prune({ keepBytes });
}
