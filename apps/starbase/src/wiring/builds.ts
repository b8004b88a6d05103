import { join } from "node:path";
import { planSource } from "@starform/build-plan/plan-source";
import { openLogShipper } from "@starform/log-shipper/log-shipper";
import type { Logger } from "pino";
import { buildkitBuildService } from "../adapters/buildkit/build-service.ts";
import { networkVariables } from "../adapters/process-builder/machine-tools.ts";
import { processBuildService } from "../adapters/process-builder/process-build-service.ts";
import { folderWorkDirs } from "../adapters/sources/work-dirs.ts";
import type { Config } from "../config.ts";
import type { BuildLog } from "../core/builds/ports.ts";
import { runBuild, type RunBuild } from "../core/builds/run-build.ts";
import { runNextBuild } from "../core/builds/run-next-build.ts";
import { untilCancelled } from "../core/deployments/until-cancelled.ts";
import { deploymentProgress } from "../core/deployments/progress.ts";
import { buildRunJob } from "../jobs/build-run.ts";
import type { BuildService } from "../ports/build-service.ts";
import type { JobHandler } from "../ports/job-queue.ts";
import type { Core } from "./core.ts";
import { openSources } from "./git.ts";

/** The builder of this installation's runtime, and the job that builds with it. */
export function openBuilds(
  config: Config,
  core: Core,
  logger: Logger,
  stack: AsyncDisposableStack,
): { readonly builds: BuildService; readonly job: JobHandler } {
  const builds = stack.use(builderOf(config, logger));
  const progress = deploymentProgress(core);
  const run = runBuild({
    progress,
    sources: openSources(config),
    builds,
    log: openBuildLog(config, logger, stack),
    plan: planSource,
    workDirs: folderWorkDirs(join(config.dataDir, "cache", "contexts")),
    clock: core.clock,
  });
  const cancellable: RunBuild = (deploymentId, signal) =>
    untilCancelled(core, deploymentId, signal, (either) => run(deploymentId, either));
  return { builds, job: buildRunJob(runNextBuild({ ...core, runBuild: cancellable, progress })) };
}

/** The platform's stores, where they are on machines of their own. */
const hostsOf = ({ database, clickhouse, metrics }: Config): string[] =>
  [database.url, clickhouse.url, ...(metrics ? [metrics.url] : [])].map((url) => new URL(url).hostname);

function builderOf(config: Config, logger: Logger): BuildService & AsyncDisposable {
  const { runtime, dataDir, dockerSocket, node, network } = config;
  const [cacheDir, workDir] = [join(dataDir, "cache", "builds"), join(dataDir, "cache", "work")];
  const log = (text: string) => logger.warn(text);
  if (runtime === "process")
    return processBuildService({
      imagesDir: join(dataDir, "images"),
      cacheDir,
      workDir,
      nodePath: node.path,
      searchPath: node.searchPath,
      networkVariables: networkVariables(network),
      deniedHosts: hostsOf(config),
      log,
    });
  if (!dockerSocket)
    throw new Error(
      "STARBASE_RUNTIME is docker, but STARBASE_DOCKER_SOCKET does not say where the engine is",
    );
  return buildkitBuildService({ engineSocket: dockerSocket, cacheDir, workDir, log });
}

function openBuildLog(config: Config, logger: Logger, stack: AsyncDisposableStack): BuildLog {
  const shipper = stack.use(
    openLogShipper({
      ...config.clickhouse,
      bufferDir: join(config.dataDir, "cache", "build-log"),
      onError: (message) => logger.warn(message),
    }),
  );
  return {
    line: (
      { workspaceId, projectId, environment, serviceId, deploymentId, buildId },
      { tsMs, seq, stream, text, step },
    ) =>
      shipper.ship({
        tsMs,
        seq,
        workspaceId,
        projectId,
        environment,
        serviceId,
        deploymentId,
        buildId,
        level: stream === "stderr" ? "warn" : "info",
        message: text,
        stream: "build",
        attributes: { step },
      }),
  };
}
