import { mkdirSync } from "node:fs";
import path from "node:path";
import { wordsOf } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import { pause } from "@starform/std/retry";
import {
  buildDiskIsFull,
  type BuildFacts,
  type BuildService,
  type BuildSpec,
  type BuildStatus,
} from "../../ports/build-service.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { openLogSpool, type LogSpool } from "../process-builder/log-spool.ts";
import type { BuildLease, BuildLedger, LedgerImage } from "./build-ledger.ts";

/** One build while it runs. */
export type BuildJob = {
  readonly spec: BuildSpec;
  readonly spool: LogSpool;
  /** Told what is measured while it builds. */
  readonly note: (facts: BuildFacts) => void;
  /** Fires when it is cancelled, or is no longer this process's. */
  readonly signal: AbortSignal;
};

export type RunningBuildsOptions = {
  /** Where logs lie. */
  readonly workDir: string;
  readonly logBytesMax: number;
  readonly ledger: BuildLedger;
  /** Builds to the image. Throws BuildStopped for what the customer must change, and when the signal has fired. */
  readonly run: (job: BuildJob) => Promise<LedgerImage>;
  /** For the operator. */
  readonly log: (text: string) => void;
};

type Running = {
  readonly spool: LogSpool;
  readonly cancel: AbortController;
  readonly done: Promise<void>;
  status: BuildStatus;
};

/** How many ended builds keep their log at hand. */
const endedMax = 20;
const lookEveryMs = 500;

type RunningBuilds = Pick<BuildService, "submitBuild" | "streamLogs" | "getBuildStatus" | "cancelBuild"> &
  AsyncDisposable;

/** The builds of this process: each runs once, is read by any number, and ends in one status. */
export function runningBuilds(options: RunningBuildsOptions): RunningBuilds {
  const { workDir, logBytesMax, ledger, log } = options;
  const logsDir = path.join(workDir, "logs");
  mkdirSync(logsDir, { recursive: true });
  const builds = new Map<string, Running>();
  /** Submissions under way, so that a second one at the same time is no second build. */
  const taking = new Map<string, Promise<void>>();

  async function submit(spec: BuildSpec): Promise<void> {
    const known = builds.get(spec.buildId);
    if (known && known.status.state !== "unknown") return;
    const claim = await ledger.take(spec);
    if (claim.kind === "built") return;
    if (claim.kind === "taken") throw new Error(`build ${spec.buildId} is running in ${claim.by}`);
    builds.set(spec.buildId, begin(spec, claim.lease));
  }

  function begin(spec: BuildSpec, lease: BuildLease): Running {
    const spool = openLogSpool(path.join(logsDir, `${spec.buildId}.ndjson`), logBytesMax, Date.now);
    const cancel = new AbortController();
    const signal = AbortSignal.any([cancel.signal, lease.lost]);
    let facts: BuildFacts = {};
    const note = (more: BuildFacts) => void (facts = { ...facts, ...more });
    const build = async (): Promise<BuildStatus> => {
      const built = await options.run({ spec, spool, note, signal });
      await lease.succeed(built);
      return { state: "succeeded", ...built, facts };
    };
    const running: Running = { spool, cancel, status: { state: "running" }, done: finish() };
    return running;

    async function finish(): Promise<void> {
      const status = await build().catch((error: unknown) => endOf(error, lease, facts, log));
      if (status.state === "failed") spool.line("build", "status", status.reason.split("\n", 1)[0]!);
      await spool.end();
      running.status = status;
      await lease
        .release()
        .catch((error: unknown) => log(`a build could not be given back: ${wordsOf(error)}`));
      forget(builds);
    }
  }

  return {
    async submitBuild(spec) {
      const known = taking.get(spec.buildId) ?? submit(spec).finally(() => taking.delete(spec.buildId));
      taking.set(spec.buildId, known);
      await known;
      return { buildId: spec.buildId, workspaceId: spec.workspaceId };
    },

    async *streamLogs(handle, signal) {
      const running = builds.get(handle.buildId);
      if (running) yield* running.spool.read(signal);
      else
        while (!signal.aborted && (await ledger.of(handle)) === "running") await pause(lookEveryMs, signal);
      signal.throwIfAborted();
    },

    async getBuildStatus(handle) {
      const running = builds.get(handle.buildId);
      if (running && running.status.state !== "unknown") return running.status;
      const known = await ledger.of(handle);
      return typeof known === "string" ? { state: known } : { state: "succeeded", ...known };
    },

    async cancelBuild({ buildId }) {
      await taking.get(buildId)?.catch(() => undefined);
      const running = builds.get(buildId);
      if (running?.status.state !== "running") return;
      running.cancel.abort();
      await running.done;
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...builds.values()].map(({ cancel, done }) => (cancel.abort(), done)));
    },
  };
}

function endOf(
  error: unknown,
  { lost }: BuildLease,
  facts: BuildFacts,
  log: (text: string) => void,
): BuildStatus {
  // Whoever has it now says what came of it.
  if (lost.aborted) return { state: "unknown" };
  if (error instanceof BuildStopped)
    return error.isCancelled ? { state: "cancelled" } : { state: "failed", reason: error.message, facts };
  if (isFullDisk(error)) return { state: "failed", reason: buildDiskIsFull, facts };
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
