import { join } from "node:path";
import { componentsApart, planApart, type PlanApart } from "@starform/build-plan/plan-apart";
import { openLogShipper } from "@starform/log-shipper/log-shipper";
import type { Logger } from "pino";
import { buildkitBuildService } from "../adapters/buildkit/build-service.ts";
import { networkVariables } from "../adapters/process-builder/machine-tools.ts";
import { noBuilder } from "../adapters/local/no-builder.ts";
import { processBuildService } from "../adapters/process-builder/process-build-service.ts";
import { railpackPlanner } from "../adapters/railpack/railpack-planner.ts";
import { attachDocuments } from "../adapters/registry/attach-documents.ts";
import { folderWorkDirs } from "../adapters/sources/work-dirs.ts";
import type { Config } from "../config.ts";
import type { BuildLog } from "../core/builds/ports.ts";
import { runBuild, type RunBuild, type RunBuildDeps } from "../core/builds/run-build.ts";
import { runNextBuild } from "../core/builds/run-next-build.ts";
import { untilCancelled } from "../core/deployments/until-cancelled.ts";
import { deploymentProgress } from "../core/deployments/progress.ts";
import { buildRunJob } from "../jobs/build-run.ts";
import type { BuildService } from "../ports/build-service.ts";
import type { CronJob, JobHandler } from "../ports/job-queue.ts";
import type { RegistryProvider } from "../ports/registry-provider.ts";
import type { Core } from "./core.ts";
import { openSources } from "./git.ts";
import { openRemoteBuilds } from "./remote-builds.ts";

/** The builder of this installation's runtime, and the job that builds with it. */
export async function openBuilds(
  config: Config,
  core: Core,
  logger: Logger,
  stack: AsyncDisposableStack,
): Promise<{ readonly builds: BuildService; readonly job: JobHandler; readonly crons: readonly CronJob[] }> {
  const { builds, crons } = await openBuilder(config, core, logger, stack);
  const progress = deploymentProgress(core);
  const run = runBuild({
    progress,
    sources: openSources(config, core),
    builds,
    log: openBuildLog(config, logger, stack),
    plan: plannerOf(config),
    components: componentsApart,
    builder: { id: `${config.urls.api}/builders/${builderKind(config)}`, starformVersion: config.version },
    attach: attachTo(core),
    workDirs: folderWorkDirs(join(config.dataDir, "cache", "contexts")),
    clock: core.clock,
  });
  const cancellable: RunBuild = (deploymentId, signal) =>
    untilCancelled(core, deploymentId, signal, (either) => run(deploymentId, either));
  return { builds, crons, job: buildRunJob(runNextBuild({ ...core, runBuild: cancellable, progress })) };
}

/** The process builder runs no frontend images, so it plans by itself. */
function plannerOf(config: Config): PlanApart {
  const { planner, node } = config;
  if (planner.kind === "built-in") return planApart;
  if (builderKind(config) === "process")
    throw new Error(
      "STARBASE_PLANNER is railpack, which the process builder cannot run: unset it, or build with BuildKit",
    );
  return railpackPlanner({ ...planner, searchPath: node.searchPath });
}

const builderKind = ({ buildService, runtime }: Config): string =>
  buildService.kind === "auto" ? runtime : buildService.kind;

/** Beside an image of the registry; a runtime's own store has no place for more than the labels of an image. */
const attachTo =
  ({ registry }: Core): RunBuildDeps["attach"] =>
  async (image, documents) => {
    if (!registry || !image.image.startsWith(`${registry.host}/`)) return undefined;
    await attachDocuments(registry, image, documents);
    return "they are beside the image in the registry";
  };

/** The runtime's own builder, or one elsewhere where the operator says so. */
async function openBuilder(
  config: Config,
  core: Core,
  logger: Logger,
  stack: AsyncDisposableStack,
): Promise<{ readonly builds: BuildService; readonly crons: readonly CronJob[] }> {
  const { buildService, dataDir } = config;
  const { registry } = core;
  const lack = lackOfBuilder(config, registry);
  if (lack) return { builds: noBuilder(lack), crons: [] };
  if (buildService.kind === "auto" || buildService.kind === "process")
    return { builds: stack.use(builderOf(config, registry, logger)), crons: [] };
  if (!registry)
    throw new Error(
      `STARBASE_BUILD_SERVICE is ${buildService.kind}, which pushes its images: set STARBASE_REGISTRY too`,
    );
  const workDir = join(dataDir, "cache", "work");
  const deps = { db: core.db, box: core.box, registry, workDir, log: (text: string) => logger.warn(text) };
  return openRemoteBuilds(buildService, deps, stack);
}

/** The platform's stores, where they are on machines of their own. */
const hostsOf = ({ database, clickhouse, metrics }: Config): string[] =>
  [database.url, clickhouse.url, ...(metrics ? [metrics.url] : [])].map((url) => new URL(url).hostname);

/** Why nothing can be built for a cluster, which runs what is there already; undefined where it can, or must. */
function lackOfBuilder(
  { runtime, buildService, dockerSocket }: Config,
  registry: RegistryProvider | undefined,
): string | undefined {
  if (runtime !== "kubernetes" || buildService.kind !== "auto") return undefined;
  if (!dockerSocket)
    return "there is no Docker Engine here to build with (STARBASE_DOCKER_SOCKET), nor a builder elsewhere (STARBASE_BUILD_SERVICE)";
  return registry
    ? undefined
    : "there is no registry that the cluster could pull the image from: install docker-registry, or set STARBASE_REGISTRY";
}

function builderOf(
  config: Config,
  registry: RegistryProvider | undefined,
  logger: Logger,
): BuildService & AsyncDisposable {
  const { runtime, buildService, dataDir, dockerSocket, node, network, builtImages } = config;
  const [cacheDir, workDir] = [join(dataDir, "cache", "builds"), join(dataDir, "cache", "work")];
  const log = (text: string) => logger.warn(text);
  const isProcess = runtime === "process" || buildService.kind === "process";
  if (builtImages === "registry" && (isProcess || !registry))
    throw new Error(
      isProcess
        ? "images are to be pushed into the registry, but the process builder makes folders, which no registry holds: set STARBASE_RUNTIME or STARBASE_BUILD_SERVICE to another, or leave out STARBASE_BUILT_IMAGES"
        : "images are to be pushed into a registry, and there is none: set STARBASE_REGISTRY",
    );
  if (isProcess)
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
      `STARBASE_RUNTIME is ${runtime}, but STARBASE_DOCKER_SOCKET does not say where the engine is that builds`,
    );
  const pushes = builtImages === "registry" ? registry : undefined;
  const registryPrefix = registry?.prefix;
  return buildkitBuildService({
    engineSocket: dockerSocket,
    registry: pushes,
    registryPrefix,
    bases: buildService.kind === "auto" ? buildService.bases : undefined,
    cacheDir,
    workDir,
    log,
  });
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
