import type { PlanOutcome, planSource } from "@starform/build-plan/plan-source";
import { buildAllowances } from "@starform/contract/plans";
import type { StageName } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { isFault } from "@starform/std/fault";
import type { BuildLogLine, BuildService } from "../../ports/build-service.ts";
import { reportBook, type ReportBook } from "./build-report.ts";
import { planOptionsOf, readBuildSettings, type FileSettings } from "./build-settings.ts";
import type { BuildLog, BuildWork, DeploymentProgress, SourceStore } from "./ports.ts";
import type { WorkDir, WorkDirs } from "./work-dirs.ts";

export type RunBuildDeps = {
  readonly progress: DeploymentProgress;
  readonly sources: SourceStore;
  readonly builds: BuildService;
  readonly log: BuildLog;
  readonly plan: typeof planSource;
  readonly workDirs: WorkDirs;
  readonly clock: Clock;
};

export type RunBuild = (deploymentId: string, signal: AbortSignal) => Promise<void>;

/**
 * Takes a deployment from its source to its image: clone, build, push. What its owner must change ends it with the
 * reason, and the promise resolves; a fault of the platform rejects, so that the job is tried again. It may run twice:
 * a build whose Worker died begins anew, one that had its image by then keeps it. When the signal fires the build is
 * cancelled and nothing more is said: who fired it knows why.
 */
export const runBuild =
  (deps: RunBuildDeps): RunBuild =>
  async (deploymentId, signal) => {
    const work = await deps.progress.beginBuild(deploymentId);
    if (!work) return;
    await using dir = await deps.workDirs.open(work.buildId);
    const run = beginRun(deps, work, signal);
    try {
      await steps(deps, run, dir);
    } catch (error) {
      // Of one that was stopped what it took until then; who stopped it does not wait for it to be kept.
      await deps.progress.keepReport(work.buildId, run.book.report()).catch(() => undefined);
      if (signal.aborted) return;
      if (!(error instanceof CannotBuild)) throw error;
      run.say("build", error.message.split("\n", 1)[0]!);
      if (run.stage()) await deps.progress.endStage(deploymentId, run.stage()!, "failed");
      await deps.progress.failBuild(deploymentId, error.message);
    }
  };

/** The customer's to heal; the message is the deployment's reason. */
class CannotBuild extends Error {
  override readonly name = "CannotBuild";
}

type Run = {
  readonly work: BuildWork;
  readonly signal: AbortSignal;
  readonly book: ReportBook;
  /** The stage that is running. */
  stage(): StageName | undefined;
  say(step: string, text: string): void;
  pass(line: Omit<BuildLogLine, "seq">): void;
  within<T>(stage: StageName, action: () => Promise<T>): Promise<T>;
};

function beginRun({ progress, log, clock }: RunBuildDeps, work: BuildWork, signal: AbortSignal): Run {
  let [seq, stage] = [0, undefined as StageName | undefined];
  const book = reportBook();
  const pass: Run["pass"] = (line) => {
    book.line(line);
    log.line(work, { ...line, seq: ++seq });
  };
  return {
    work,
    signal,
    book,
    stage: () => stage,
    pass,
    say: (step, text) => pass({ tsMs: clock.now().getTime(), step, stream: "status", text }),
    async within(name, action) {
      stage = name;
      await progress.beginStage(work.deploymentId, name);
      const startedMs = clock.now().getTime();
      const result = await action().finally(() => book.stage(name, clock.now().getTime() - startedMs));
      signal.throwIfAborted();
      await progress.endStage(work.deploymentId, name, "succeeded");
      stage = undefined;
      return result;
    },
  };
}

async function steps(deps: RunBuildDeps, run: Run, dir: WorkDir): Promise<void> {
  const { work } = run;
  await run.within("clone", () => clone(deps, run, dir));
  const { outcome, fileSettings, built } = await run.within("build", async () => {
    const planned = await plan(deps, run, dir.path);
    return { ...planned, built: await build(deps, run, dir.path, planned.outcome) };
  });
  // The builder keeps or pushes the image as part of the build: what is left is to say where it is.
  await run.within("push", async () =>
    run.say("push", `image ${built.imageDigest.slice(0, 19)}, ${(built.sizeBytes / 2 ** 20).toFixed(1)} MiB`),
  );
  await deps.progress.keepReport(work.buildId, run.book.report());
  const { providers, versions, decisions } = outcome.info;
  await deps.progress.finishBuild(work.deploymentId, {
    image: built.image,
    imageDigest: built.imageDigest,
    sizeBytes: built.sizeBytes,
    info: { kind: outcome.kind, providers, versions, decisions },
    fileSettings,
  });
}

async function clone({ sources, progress }: RunBuildDeps, run: Run, dir: WorkDir): Promise<void> {
  const { serviceId, source, deploymentId } = run.work;
  run.say("clone", sayingOf(run.work));
  const { commit } = await sources
    .checkOut(serviceId, source, dir.path, run.signal)
    .catch((error: unknown) => {
      throw isFault(error) && error.code !== "unavailable" && error.code !== "internal"
        ? new CannotBuild(error.message)
        : error;
    });
  if (commit) {
    run.say("clone", `commit ${commit.sha.slice(0, 12)}: ${commit.message.split("\n", 1)[0]}`);
    await progress.setCommit(deploymentId, commit);
  }
  if (await dir.has(".gitmodules"))
    run.say(
      "clone",
      "this repository has submodules, which are left out: their folders are empty in the build",
    );
}

function sayingOf({ source }: BuildWork): string {
  if (source.kind === "upload") return `take the uploaded folder ${source.sourceId.slice(0, 12)}`;
  if (source.kind === "commit") return `take commit ${source.sha.slice(0, 12)}`;
  return `fetch ${source.ref || "the default branch"} of ${source.url.replace(/(\w+:\/\/)[^/\s@]+@/, "$1***@")}`;
}

type Planned = { outcome: Extract<PlanOutcome, { ok: true }>; fileSettings: FileSettings };

async function plan(deps: RunBuildDeps, run: Run, dir: string): Promise<Planned> {
  const { work } = run;
  const read = await readBuildSettings(dir, work.settings, work.environment);
  if (read.kind === "refused") throw new CannotBuild(read.reason);
  for (const note of read.notes) run.say("plan", note);
  const outcome = await deps.plan(dir, planOptionsOf(read.settings, work.variables));
  if (!outcome.ok) {
    const { message, hint, lookedFor } = outcome.error;
    if (lookedFor.length > 0) run.say("plan", `looked for ${lookedFor.join(", ")}`);
    throw new CannotBuild(
      `${message}. ${hint}${lookedFor.length > 0 ? ` (Looked for ${lookedFor.join(", ")}.)` : ""}`,
    );
  }
  for (const { what, reason } of outcome.info.decisions) run.say("plan", `${what}: ${reason}`);
  return { outcome, fileSettings: read.fileSettings };
}

type Built = { image: string; imageDigest: string; sizeBytes: number };

async function build(
  { builds }: RunBuildDeps,
  run: Run,
  dir: string,
  outcome: Planned["outcome"],
): Promise<Built> {
  const { work, signal } = run;
  const { buildId, workspaceId, projectId, serviceId, variables, secretNames, noCache } = work;
  const { atOnceMax: _, ...limits } = buildAllowances[work.plan];
  await builds.ensureProject(workspaceId);
  const owner = { buildId, workspaceId, projectId, serviceId };
  const handle = await builds.submitBuild({
    ...owner,
    contextDir: dir,
    outcome,
    variables,
    secretNames,
    noCache,
    limits,
  });
  try {
    for await (const { seq: _seq, ...line } of builds.streamLogs(handle, signal)) run.pass(line);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) {
    await builds.cancelBuild(handle);
    signal.throwIfAborted();
  }
  const status = await builds.getBuildStatus(handle);
  if ("facts" in status && status.facts) run.book.facts(status.facts);
  // A builder that keeps no image itself does not know its size.
  if (status.state === "succeeded" && status.sizeBytes > 0) run.book.facts({ imageBytes: status.sizeBytes });
  if (status.state === "succeeded") return status;
  if (status.state === "failed") throw new CannotBuild(status.reason);
  if (status.state === "cancelled")
    throw new CannotBuild("the build was stopped at the builder: deploy again");
  throw new Error(`the builder lost build ${buildId} (${status.state})`);
}
