import { mkdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { ensureBaseImages, type BaseImages } from "@starform/buildkit/base-images";
import { dockerEngine } from "@starform/buildkit/engine";
import { wordsOf } from "@starform/std/fault";
import { holderOf, takeLock } from "@starform/std/lock";
import { pause } from "@starform/std/retry";
import type { BuildFacts, BuildHandle, BuildService, BuildStatus } from "../../ports/build-service.ts";
import { machineLimits, type BuildLimits } from "../process-builder/build-limits.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { openLogSpool, type LogSpool } from "../process-builder/log-spool.ts";
import { buildInEngine, type BaseForm, type EngineBuilder } from "./build-in-engine.ts";
import { imageRecords } from "./image-records.ts";

export type BuildKitServiceOptions = {
  /** The socket of the Docker Engine that builds, and keeps the images. */
  readonly engineSocket: string;
  readonly cacheDir: string;
  /** Logs, locks and records of builds. */
  readonly workDir: string;
  /** Where a plan does not ask for a version. */
  readonly nodeVersion?: string;
  /** For the operator. */
  readonly log: (text: string) => void;
  readonly limits?: Partial<BuildLimits>;
};

type Running = {
  readonly spool: LogSpool;
  readonly cancel: AbortController;
  readonly done: Promise<void>;
  status: BuildStatus;
};

/** How many ended builds keep their log at hand. */
const endedMax = 20;

/**
 * Builds with the BuildKit of a Docker Engine; the images stay in the engine's own store. A build whose process was
 * killed is ended by the engine with its connection, and `unknown` to the next; one that had its image by then is
 * `succeeded`.
 */
export function buildkitBuildService(options: BuildKitServiceOptions): BuildService & AsyncDisposable {
  const logsDir = path.join(options.workDir, "logs");
  mkdirSync(logsDir, { recursive: true });
  const limits = { ...machineLimits(), ...options.limits };
  const engine = dockerEngine(options.engineSocket);
  const records = imageRecords(path.join(options.workDir, "built"), engine);
  const builder: EngineBuilder = {
    engineSocket: options.engineSocket,
    limits,
    layersOf: engine.layers,
    basesFor: rememberedBases(options),
  };
  const builds = new Map<string, Running>();
  const lockOf = (buildId: string) => path.join(options.workDir, `${buildId}.lock`);
  const cleared = clearLocks(options.workDir).catch((error) =>
    options.log(`old build locks could not be removed: ${wordsOf(error)}`),
  );

  return {
    async ensureProject() {
      // A workspace has no place of its own here: its caches are kept apart by name.
    },

    async submitBuild(spec) {
      const handle = { buildId: spec.buildId, workspaceId: spec.workspaceId };
      await cleared;
      if (builds.has(spec.buildId) || (await records.of(spec.buildId))) return handle;
      // Looked at again because another call may have come in between.
      if (builds.has(spec.buildId)) return handle;
      const lock = takeLock(lockOf(spec.buildId));
      if (lock.kind === "taken")
        throw new Error(`build ${spec.buildId} is running in process ${lock.by.pid}`);
      const spool = openLogSpool(path.join(logsDir, `${spec.buildId}.ndjson`), limits.logBytesMax, Date.now);
      const cancel = new AbortController();
      let facts: BuildFacts = {};
      const note = (more: BuildFacts) => void (facts = { ...facts, ...more });
      const running: Running = {
        spool,
        cancel,
        status: { state: "running" },
        done: buildInEngine(builder, { spec, spool, note }, cancel.signal)
          .then(async (built): Promise<BuildStatus> => {
            await records.keep(spec.buildId, built);
            return { state: "succeeded", ...built, facts };
          })
          .catch((error: unknown): BuildStatus => endOf(error, facts, options.log))
          .then(async (status) => {
            if (status.state === "failed") spool.line("build", "status", status.reason.split("\n", 1)[0]!);
            await spool.end();
            running.status = status;
            lock.release();
            forget(builds);
          }),
      };
      builds.set(spec.buildId, running);
      return handle;
    },

    async *streamLogs({ buildId }, signal) {
      const running = builds.get(buildId);
      if (running) yield* running.spool.read(signal);
      else while (holderOf(lockOf(buildId)) && !signal.aborted) await pause(500, signal);
      signal.throwIfAborted();
    },

    getBuildStatus: (handle) => statusOf(handle),

    async cancelBuild({ buildId }) {
      const running = builds.get(buildId);
      if (running?.status.state !== "running") return;
      running.cancel.abort();
      await running.done;
    },

    async removeImage(image) {
      const [, repo, id] = /^(starform\.local\/[^/]+\/[^@/]+)@(sha256:[0-9a-f]{64})$/.exec(image) ?? [];
      if (repo && id) await engine.removeImage(repo, id);
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...builds.values()].map(({ cancel, done }) => (cancel.abort(), done)));
    },
  };

  async function statusOf({ buildId }: BuildHandle): Promise<BuildStatus> {
    const running = builds.get(buildId);
    if (running) return running.status;
    const built = await records.of(buildId);
    if (built) return { state: "succeeded", ...built };
    return holderOf(lockOf(buildId)) ? { state: "running" } : { state: "unknown" };
  }
}

/** The same bases are made once at a time; ones that could not be made are tried again by the next build. */
function rememberedBases({ engineSocket, cacheDir, nodeVersion, log }: BuildKitServiceOptions) {
  const making = new Map<string, Promise<BaseImages>>();
  return (form: BaseForm, asked: string | undefined, say: (text: string) => void): Promise<BaseImages> => {
    const version = exactOrMajor(asked) ?? nodeVersion ?? process.versions.node;
    const key = `${form} ${version}`;
    const known = making.get(key);
    if (known) return known;
    const made = ensureBaseImages(engineSocket, {
      cacheDir: path.join(cacheDir, "bases"),
      nodeVersion: version,
      log: (line) => (log(line), say(line)),
      ...(form === "quick" && { form: "host" }),
    }).finally(() => making.delete(key));
    making.set(key, made);
    return made;
  };
}

/** "24", "22.11" and "22.11.0" name one; "latest" and what is not a plain version do not. */
const exactOrMajor = (version: string | undefined): string | undefined =>
  version !== undefined && /^v?\d+(\.\d+){0,2}$/.test(version) ? version : undefined;

function endOf(error: unknown, facts: BuildFacts, log: (text: string) => void): BuildStatus {
  if (error instanceof BuildStopped)
    return error.isCancelled ? { state: "cancelled" } : { state: "failed", reason: error.message, facts };
  log(`a build ended by a fault of the builder: ${error instanceof Error ? error.stack : String(error)}`);
  return {
    state: "failed",
    reason: `the builder could not finish this build: ${wordsOf(error)}; deploy again, and tell whoever runs the platform if it stays`,
  };
}

function forget(builds: Map<string, Running>): void {
  const ended = [...builds].filter(([, { status }]) => status.state !== "running");
  for (const [buildId] of ended.slice(0, -endedMax)) builds.delete(buildId);
}

/** Locks of builds whose process is gone. */
async function clearLocks(workDir: string): Promise<void> {
  const locks = (await readdir(workDir)).filter((name) => name.endsWith(".lock"));
  for (const name of locks.filter((one) => !holderOf(path.join(workDir, one))))
    await rm(path.join(workDir, name), { force: true });
}
