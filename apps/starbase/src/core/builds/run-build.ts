import { planOptionsOf, readBuildSettings } from "@starform/build-plan/build-settings";
import type { Components } from "@starform/build-plan/components/read-components";
import type { ComponentsApart, PlanApart } from "@starform/build-plan/plan-apart";
import type { PlanOutcome } from "@starform/build-plan/plan-source";
import { imageTraitsOf } from "./image-traits.ts";
import { buildAllowances } from "@starform/contract/plans";
import { ServiceSettingsPatch, type ServiceSettings } from "@starform/contract/services";
import type { StageName } from "@starform/contract/states";
import type { Clock } from "@starform/std/clock";
import { isFault, wordsOf } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import { storableText } from "@starform/std/storable";
import {
  buildDiskIsFull,
  type BuildFacts,
  type BuildLogLine,
  type BuildService,
} from "../../ports/build-service.ts";
import { reportBook, type ReportBook } from "./build-report.ts";
import type { AttachTo, BuildDocument } from "./documents/build-document.ts";
import { makeDocuments, type BuilderIdentity } from "./documents/make-documents.ts";
import { labelsOf, type Material } from "./documents/provenance.ts";
import type { BuildLog, BuildWork, Commit, DeploymentProgress, SourceStore } from "./ports.ts";
import type { WorkDir, WorkDirs } from "./work-dirs.ts";

export type RunBuildDeps = {
  readonly progress: DeploymentProgress;
  readonly sources: SourceStore;
  readonly builds: BuildService;
  readonly log: BuildLog;
  readonly plan: PlanApart;
  readonly components: ComponentsApart;
  readonly builder: BuilderIdentity;
  /** Puts documents beside an image where its store has a place for them; answers what more the log says of it. */
  readonly attach: (image: AttachTo, documents: readonly BuildDocument[]) => Promise<string | undefined>;
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
    const run = beginRun(deps, work, signal);
    try {
      await using dir = await deps.workDirs.open(work.buildId);
      await steps(deps, run, dir);
    } catch (thrown) {
      const error = isFullDisk(thrown) ? new CannotBuild(buildDiskIsFull) : thrown;
      // Of one that was stopped what it took until then; who stopped it does not wait for it to be kept.
      const stage = run.stop();
      await deps.progress.keepReport(work.buildId, run.book.report()).catch(() => undefined);
      if (signal.aborted) return;
      if (!(error instanceof CannotBuild)) throw error;
      run.say("build", error.message.split("\n", 1)[0]!);
      if (stage) await deps.progress.endStage(deploymentId, stage, "failed");
      await deps.progress.failBuild(deploymentId, storableText(error.message));
    }
  };

/** The customer's to heal, or the operator's; the message is the deployment's reason. */
class CannotBuild extends Error {
  override readonly name = "CannotBuild";
}

type Run = {
  readonly work: BuildWork;
  readonly signal: AbortSignal;
  readonly book: ReportBook;
  /** Images that the build started from, as its log names them. */
  readonly materials: Map<string, Material>;
  /** The stage that is running. */
  stage(): StageName | undefined;
  say(step: string, text: string): void;
  pass(line: Omit<BuildLogLine, "seq">): void;
  /** Ends the stage that is running, and begins this one. */
  enter(stage: StageName): Promise<void>;
  /** Ends the stage that is running; rejects when the build was stopped. */
  leave(): Promise<void>;
  /** No stage runs any more; notes how long the one took that did, and answers which. */
  stop(): StageName | undefined;
};

function beginRun({ progress, log, clock }: RunBuildDeps, work: BuildWork, signal: AbortSignal): Run {
  let [seq, stage, startedMs] = [0, undefined as StageName | undefined, 0];
  const book = reportBook();
  const materials = new Map<string, Material>();
  const pass: Run["pass"] = (line) => {
    book.line(line);
    const [, uri, sha256] = /\bFROM (\S+)@sha256:([0-9a-f]{64})/.exec(line.step) ?? [];
    if (uri && sha256) materials.set(uri, { uri: `docker-image://${uri}`, digest: { sha256 } });
    log.line(work, { ...line, seq: ++seq });
  };
  const stop = () => {
    const stopped = stage;
    if (stopped) book.stage(stopped, clock.now().getTime() - startedMs);
    stage = undefined;
    return stopped;
  };
  const leave = async () => {
    signal.throwIfAborted();
    const left = stop();
    if (left) await progress.endStage(work.deploymentId, left, "succeeded");
  };
  return {
    work,
    signal,
    book,
    materials,
    stage: () => stage,
    pass,
    say: (step, text) => pass({ tsMs: clock.now().getTime(), step, stream: "status", text }),
    stop,
    leave,
    async enter(name) {
      await leave();
      [stage, startedMs] = [name, clock.now().getTime()];
      await progress.beginStage(work.deploymentId, name);
    },
  };
}

async function steps(deps: RunBuildDeps, run: Run, dir: WorkDir): Promise<void> {
  const { work } = run;
  const startedAt = deps.clock.now();
  await run.enter("clone");
  const commit = await clone(deps, run, dir);
  await run.enter("build");
  const planned = await plan(deps, run, dir.path);
  const components = await deps.components(`${dir.path}/${planned.outcome.info.rootDirectory}`, run.signal);
  const labels = labelsOf({ source: work.source, commit, outcome: planned.outcome });
  const built = await build(deps, run, { dir: dir.path, ...planned, labels });
  // A builder that had the image already has put nothing anywhere.
  if (run.stage() !== "push") await run.enter("push");
  await describe(deps, run, { ...planned, components, built, commit, startedAt });
  await run.leave();
  await deps.progress.keepReport(work.buildId, run.book.report());
  const { outcome, fileSettings } = planned;
  const { providers, versions, decisions } = outcome.info;
  await deps.progress.finishBuild(work.deploymentId, {
    image: built.image,
    imageDigest: built.imageDigest,
    sizeBytes: built.sizeBytes,
    info: { kind: outcome.kind, providers, versions, decisions, ...imageTraitsOf(outcome, built) },
    fileSettings,
  });
}

type Made = Planned & {
  readonly built: Built;
  readonly components: Components;
  readonly commit: Commit | undefined;
  readonly startedAt: Date;
};

/** Keeps what the build says of its image, and puts it beside the image. That it cannot be there fails no build. */
async function describe(deps: RunBuildDeps, run: Run, made: Made): Promise<void> {
  const { work, materials } = run;
  const { built } = made;
  run.say("push", `image ${built.imageDigest.slice(0, 19)}, ${(built.sizeBytes / 2 ** 20).toFixed(1)} MiB`);
  const documents = makeDocuments({
    ...made,
    ...built,
    work,
    builder: deps.builder,
    materials: [...materials.values()],
    finishedAt: deps.clock.now(),
  });
  await deps.progress.keepDocuments(work.buildId, documents);
  const words = await deps
    .attach({ ...work, image: built.image, imageDigest: built.imageDigest }, documents)
    .catch((error: unknown) => `they could not be put beside the image: ${wordsOf(error)}`);
  run.say("push", `component list and provenance are kept with the build${words ? `; ${words}` : ""}`);
}

async function clone(
  { sources, progress }: RunBuildDeps,
  run: Run,
  dir: WorkDir,
): Promise<Commit | undefined> {
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
  return commit;
}

function sayingOf({ source }: BuildWork): string {
  if (source.kind === "upload") return `take the uploaded folder ${source.sourceId.slice(0, 12)}`;
  if (source.kind === "commit") return `take commit ${source.sha.slice(0, 12)}`;
  return `fetch ${source.ref || "the default branch"} of ${source.url.replace(/(\w+:\/\/)[^/\s@]+@/, "$1***@")}`;
}

type Planned = {
  readonly outcome: Extract<PlanOutcome, { ok: true }>;
  readonly settings: ServiceSettings;
  readonly fileSettings: Partial<ServiceSettings>;
};

async function plan(deps: RunBuildDeps, run: Run, dir: string): Promise<Planned> {
  const { work } = run;
  const read = await readBuildSettings(dir, {
    stored: work.settings,
    environment: work.environment,
    change: ServiceSettingsPatch,
  });
  if (read.kind === "refused") throw new CannotBuild(read.reason);
  for (const note of read.notes) run.say("plan", note);
  const outcome = await deps.plan(dir, planOptionsOf(read.settings, work.variables), run.signal);
  if (!outcome.ok) {
    const { message, hint, lookedFor } = outcome.error;
    if (lookedFor.length > 0) run.say("plan", `looked for ${lookedFor.join(", ")}`);
    throw new CannotBuild(
      `${message}. ${hint}${lookedFor.length > 0 ? ` (Looked for ${lookedFor.join(", ")}.)` : ""}`,
    );
  }
  for (const { what, reason } of outcome.info.decisions) run.say("plan", `${what}: ${reason}`);
  return { outcome, settings: read.settings, fileSettings: read.fileSettings };
}

type Built = {
  readonly image: string;
  readonly imageDigest: string;
  readonly sizeBytes: number;
  readonly debianPackages: BuildFacts["debianPackages"];
  readonly hasShell: boolean;
};
type ToBuild = Pick<Planned, "outcome"> & { dir: string; labels: Readonly<Record<string, string>> };

async function build({ builds }: RunBuildDeps, run: Run, { dir, outcome, labels }: ToBuild): Promise<Built> {
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
    labels,
  });
  try {
    for await (const { seq: _seq, begins, ...line } of builds.streamLogs(handle, signal)) {
      if (begins && run.stage() !== begins) await run.enter(begins);
      run.pass(line);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) {
    await builds.cancelBuild(handle);
    signal.throwIfAborted();
  }
  const status = await builds.getBuildStatus(handle);
  const { debianPackages, hasShell, ...measured } = ("facts" in status && status.facts) || {};
  run.book.facts(measured);
  // A builder that keeps no image itself does not know its size.
  if (status.state === "succeeded" && status.sizeBytes > 0) run.book.facts({ imageBytes: status.sizeBytes });
  if (status.state === "succeeded") return { ...status, debianPackages, hasShell: hasShell ?? false };
  if (status.state === "failed") throw new CannotBuild(status.reason);
  if (status.state === "cancelled")
    throw new CannotBuild("the build was stopped at the builder: deploy again");
  throw new Error(`the builder lost build ${buildId} (${status.state})`);
}
