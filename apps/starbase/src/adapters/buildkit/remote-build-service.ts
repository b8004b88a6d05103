import type { BuildService } from "../../ports/build-service.ts";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import { machineLimits } from "../process-builder/build-limits.ts";
import type { BuildLedger } from "./build-ledger.ts";
import { buildRemotely, type RemoteBuilder } from "./build-remotely.ts";
import { runningBuilds } from "./running-builds.ts";

export type RemoteBuildOptions = RemoteBuilder & {
  readonly registry: RegistryProvider;
  readonly ledger: BuildLedger;
  /** Logs of builds that run here. */
  readonly workDir: string;
  readonly log: (text: string) => void;
};

/**
 * Builds on builders elsewhere, which push the images into the registry. A connection that is lost starts the build
 * anew; a Worker that dies leaves it to whoever submits it next, once its lease has run out.
 */
export const remoteBuildService = (options: RemoteBuildOptions): BuildService & AsyncDisposable => ({
  ...runningBuilds({
    ...options,
    logBytesMax: machineLimits().logBytesMax,
    run: (job) => buildRemotely(options, job),
  }),

  ensureProject: (workspaceId) => options.pool.ensureProject(workspaceId),
});
