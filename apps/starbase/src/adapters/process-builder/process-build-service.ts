import { mkdirSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { wordsOf } from "@starform/std/fault";
import { holderOf, takeLock } from "@starform/std/lock";
import { pause } from "@starform/std/retry";
import type { BuildFacts, BuildHandle, BuildService, BuildStatus } from "../../ports/build-service.ts";
import { machineLimits, type BuildLimits } from "./build-limits.ts";
import { buildImage, projectDir, type Builder } from "./build-process.ts";
import { buildNetworks, type BuildNetworks } from "./build-network.ts";
import { BuildStopped } from "./build-stopped.ts";
import { removeLeftCgroup } from "./cgroup.ts";
import { imageStore } from "./image-store.ts";
import { openLogSpool, type LogSpool } from "./log-spool.ts";
import { gatherMachineTools } from "./machine-tools.ts";
import { openSandbox } from "./sandbox.ts";
import { cacheHolds } from "./cache-holds.ts";
import { boundCaches, cacheBytesOf } from "./cache-total.ts";
import { cacheKeys, projectCache } from "./step-cache.ts";

export type ProcessBuildOptions = {
  readonly imagesDir: string;
  readonly cacheDir: string;
  readonly workDir: string;
  /** The Node that apps are built with. */
  readonly nodePath: string;
  /** Where npm is looked for; the machine's PATH. */
  readonly searchPath: string;
  /** For the operator. */
  readonly log: (text: string) => void;
  /** Tighter than the machine's own. */
  readonly limits?: Partial<BuildLimits>;
  /** Whether commands run in bubblewrap where the machine has it; true if not said. */
  readonly isSandboxed?: boolean;
  /** What the caches of all projects and the tools may hold together; a part of their disk if not said. */
  readonly cacheBytesMax?: number;
  /** See `networkVariables` of machine-tools. */
  readonly networkVariables?: Readonly<Record<string, string>>;
  /** Hosts of the platform on other machines, which builds are kept from. */
  readonly deniedHosts?: readonly string[];
};

type Running = {
  readonly projectId: string;
  readonly logFile: string;
  readonly spool: LogSpool;
  readonly cancel: AbortController;
  /** Nothing of it runs any more, and its status is final. */
  readonly ended: Promise<void>;
  /** Its work tree is gone too. */
  readonly tidied: Promise<void>;
  status: BuildStatus;
};

/** How many ended builds keep their log at hand. */
const endedMax = 20;

/**
 * Builds on this machine, without containers: the steps of a plan run in a sandboxed work tree below `workDir`, and the
 * image is a folder of `imagesDir`. Builds of a process that died are cleared away at the start; one that was killed
 * while it built is `unknown` to the next, one that had its image by then is `succeeded`.
 */
export function processBuildService(options: ProcessBuildOptions): BuildService & AsyncDisposable {
  for (const dir of [options.imagesDir, options.cacheDir, options.workDir])
    mkdirSync(dir, { recursive: true });
  const machine = gatherMachineTools(
    path.join(options.cacheDir, "machine"),
    options.nodePath,
    options.searchPath,
  );
  const sandbox = openSandbox(path.join(options.cacheDir, "sandbox"), machine, options.isSandboxed);
  if (sandbox.kind === "plain") options.log(sandbox.words);
  const networks = buildNetworks({
    dir: options.workDir,
    variables: options.networkVariables ?? {},
    deniedHosts: options.deniedHosts ?? [],
  });
  const builder: Builder = {
    cacheDir: options.cacheDir,
    machine,
    sandbox,
    networks,
    images: imageStore(options.imagesDir),
    limits: { ...machineLimits(), ...options.limits },
    networkVariables: options.networkVariables ?? {},
    keyOf: cacheKeys(options.cacheDir),
    holds: cacheHolds(),
  };
  const builds = new Map<string, Running>();
  const closing = new AbortController();
  const boundAll = boundCaches({
    cacheDir: options.cacheDir,
    bytesMax: options.cacheBytesMax ?? cacheBytesOf(options.cacheDir),
    holds: builder.holds,
    isUsedElsewhere,
    closing: closing.signal,
    log: options.log,
  });
  const workDirOf = (buildId: string) => path.join(options.workDir, buildId);
  const lockOf = (buildId: string) => path.join(options.workDir, `${buildId}.lock`);
  const cleared = clearLeftovers(options.workDir, networks).catch((error) =>
    options.log(`old work trees could not be removed: ${wordsOf(error)}`),
  );

  return {
    async ensureProject() {
      // A workspace has no place of its own here: folders are made when a build needs them.
    },

    async submitBuild(spec) {
      const handle = { buildId: spec.buildId, workspaceId: spec.workspaceId };
      await cleared;
      if (builds.has(spec.buildId) || (await builder.images.recordOf(spec.buildId))) return handle;
      // Looked at again because another call may have come in between.
      if (builds.has(spec.buildId)) return handle;
      const lock = takeLock(lockOf(spec.buildId));
      if (lock.kind === "taken")
        throw new Error(`build ${spec.buildId} is running in process ${lock.by.pid}`);
      const [logsDir, cancel] = [path.join(options.workDir, "logs"), new AbortController()];
      mkdirSync(logsDir, { recursive: true });
      const logFile = path.join(logsDir, `${spec.buildId}.ndjson`);
      const spool = openLogSpool(logFile, builder.limits.logBytesMax, Date.now);
      let facts: BuildFacts = {};
      const note = (more: BuildFacts) => void (facts = { ...facts, ...more });
      const start = async () => {
        const workDir = workDirOf(spec.buildId);
        // Of an earlier try whose process was killed.
        await removeLeftCgroup(spec.buildId);
        await rm(workDir, { recursive: true, force: true });
        await mkdir(path.join(workDir, "steps"), { recursive: true });
        return buildImage(builder, { spec, workDir, spool, note }, cancel.signal);
      };
      const settled = start().then(
        (built): BuildStatus => ({ state: "succeeded", ...built, facts }),
        (error: unknown): BuildStatus => endOf(error, facts, options.log),
      );
      const ended = settled.then(async (status) => {
        if (status.state === "failed") spool.line("build", "status", status.reason.split("\n", 1)[0]!);
        running.status = status;
        await spool.end();
      });
      const running: Running = {
        projectId: spec.projectId,
        logFile,
        spool,
        cancel,
        status: { state: "running" },
        ended,
        tidied: ended
          .then(() => rm(workDirOf(spec.buildId), { recursive: true, force: true }))
          .then(() => tidy(spec.projectId))
          .catch((error) => options.log(wordsOf(error)))
          .finally(() => lock.release()),
      };
      builds.set(spec.buildId, running);
      return handle;
    },

    async *streamLogs(handle, signal) {
      const running = builds.get(handle.buildId);
      if (running) yield* running.spool.read(signal);
      else while (holderOf(lockOf(handle.buildId)) && !signal.aborted) await pause(500, signal);
      signal.throwIfAborted();
    },

    getBuildStatus: (handle) => statusOf(handle),

    async cancelBuild({ buildId }) {
      const running = builds.get(buildId);
      if (running?.status.state !== "running") return;
      running.cancel.abort();
      await running.ended;
    },

    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([...builds.values()].map(({ cancel, tidied }) => (cancel.abort(), tidied)));
    },
  };

  /** Builds that another process runs have their locks here too. */
  async function isUsedElsewhere(): Promise<boolean> {
    const names = (await readdir(options.workDir)).filter((name) => name.endsWith(".lock"));
    return names.some(
      (name) => !builds.has(name.slice(0, -".lock".length)) && holderOf(path.join(options.workDir, name)),
    );
  }

  /** Caches that grew too large, and logs of builds that ended long ago. */
  async function tidy(projectId: string): Promise<void> {
    const isBusy = [...builds.values()].some(
      (one) => one.projectId === projectId && one.status.state === "running",
    );
    if (!isBusy) await projectCache(projectDir(builder, projectId)).trim();
    await boundAll();
    const ended = [...builds].filter(([, { status }]) => status.state !== "running");
    for (const [buildId, { logFile }] of ended.slice(0, -endedMax)) {
      builds.delete(buildId);
      await rm(logFile, { force: true });
    }
  }

  async function statusOf({ buildId }: BuildHandle): Promise<BuildStatus> {
    const running = builds.get(buildId);
    if (running) return running.status;
    const built = await builder.images.recordOf(buildId);
    if (built) return { state: "succeeded", ...built };
    return holderOf(lockOf(buildId)) ? { state: "running" } : { state: "unknown" };
  }
}

function endOf(error: unknown, facts: BuildFacts, log: (text: string) => void): BuildStatus {
  if (error instanceof BuildStopped)
    return error.isCancelled ? { state: "cancelled" } : { state: "failed", reason: error.message, facts };
  log(`a build ended by a fault of the builder: ${error instanceof Error ? error.stack : String(error)}`);
  return {
    state: "failed",
    reason: `the builder could not finish this build: ${wordsOf(error)}; deploy again, and tell whoever runs the platform if it stays`,
  };
}

/** Work trees, cgroups and networks of builds whose process is gone. */
async function clearLeftovers(workDir: string, networks: BuildNetworks): Promise<void> {
  for (const name of await readdir(workDir)) {
    if (name.endsWith(".net")) {
      const buildId = name.slice(0, -".net".length);
      if (!holderOf(path.join(workDir, `${buildId}.lock`))) await networks.removeLeft(buildId);
      continue;
    }
    if (name.endsWith(".lock")) {
      if (!holderOf(path.join(workDir, name))) await rm(path.join(workDir, name), { force: true });
      continue;
    }
    if (name === "logs") {
      await removeOld(path.join(workDir, name));
      continue;
    }
    if (holderOf(path.join(workDir, `${name}.lock`))) continue;
    await removeLeftCgroup(name);
    await rm(path.join(workDir, name), { recursive: true, force: true });
  }
}

/** Another process may still be reading what is young. */
async function removeOld(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = path.join(dir, name);
    if (Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0) > 86_400_000)
      await rm(file, { force: true });
  }
}
