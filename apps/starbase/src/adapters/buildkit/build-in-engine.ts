import { readFile } from "node:fs/promises";
import path from "node:path";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { BuildFailed } from "@starform/buildkit/build-failed";
import { buildPlan } from "@starform/buildkit/build-plan";
import type { BaseImages } from "@starform/buildkit/base-images";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { openBuildKit } from "@starform/buildkit/client";
import type { Engine } from "@starform/buildkit/engine";
import type { BuildEvent } from "@starform/buildkit/progress";
import { standInBases } from "@starform/buildkit/stand-in";
import { dockerTransport } from "@starform/buildkit/transport";
import { sayDuration } from "@starform/std/duration";
import type { BuildFacts, BuildSpec, StepEnd } from "../../ports/build-service.ts";
import { BuildStopped, stop } from "../process-builder/build-stopped.ts";
import { bothLimits, type BuildLimits } from "../process-builder/build-limits.ts";
import { inside } from "../process-builder/copy-tree.ts";
import type { LogSpool } from "../process-builder/log-spool.ts";
import { redactor } from "../process-builder/redact.ts";

export type EngineBuilder = {
  readonly engineSocket: string;
  readonly limits: BuildLimits;
  readonly layersOf: Engine["layers"];
  /** The images that plans start from, for a version of Node; made once. */
  readonly basesFor: (
    form: BaseForm,
    nodeVersion: string | undefined,
    say: (text: string) => void,
  ) => Promise<BaseImages>;
};

/** `quick` is made of this machine's own programs in seconds; `debian` has apt and compilers and takes a minute or two, once. */
export type BaseForm = "quick" | "debian";

/** Told what is measured while it builds. */
export type Note = (facts: BuildFacts) => void;

export type EngineImage = {
  readonly image: string;
  readonly imageDigest: string;
  readonly sizeBytes: number;
};

/** The repository of a service's images in the engine's store. */
export const repositoryOf = ({ projectId, serviceId }: Pick<BuildSpec, "projectId" | "serviceId">): string =>
  `starform.local/${projectId}/${serviceId}`;

/** One build from its source to its image in the engine. Throws BuildStopped for what the customer must change. */
export async function buildInEngine(
  builder: EngineBuilder,
  { spec, spool, note }: { spec: BuildSpec; spool: LogSpool; note: Note },
  cancel: AbortSignal,
): Promise<EngineImage> {
  const redact = redactor(
    Object.fromEntries(spec.secretNames.map((name) => [name, spec.variables[name] ?? ""])),
  );
  const say = (text: string): void => spool.line("build", "status", redact(text));
  const limits = bothLimits(builder.limits, spec.limits);
  const late = AbortSignal.timeout(limits.wallClockMs);
  try {
    const built = await buildWith(builder, spec, {
      signal: AbortSignal.any([cancel, late]),
      onLog: (event) => writeEvent(spool, event, redact),
      onSent: sentIn(note),
      say,
    });
    const layers = await builder.layersOf(built.imageId);
    if (layers.length > 0)
      note({ layers: layers.map((one) => ({ ...one, createdBy: redact(one.createdBy).slice(0, 200) })) });
    say(`image ${built.imageId.slice(0, 19)}`);
    return {
      image: `${repositoryOf(spec)}@${built.imageId}`,
      imageDigest: built.imageId,
      sizeBytes: built.sizeBytes ?? 0,
    };
  } catch (error) {
    if (cancel.aborted) throw new BuildStopped("cancelled", { isCancelled: true });
    if (late.aborted)
      return stop(`the build was stopped because it took longer than ${sayDuration(limits.wallClockMs)}`);
    if (error instanceof BuildFailed) return stop(redact(reasonOf(error)));
    throw error;
  }
}

type Watch = {
  signal: AbortSignal;
  onLog: (event: BuildEvent) => void;
  onSent: (sent: { bytes: number }) => void;
  say: (text: string) => void;
};

/** A build that is done a second time, on another base, sends a second time. */
function sentIn(note: Note): Watch["onSent"] {
  let sentBytes = 0;
  return ({ bytes }) => note({ sentBytes: (sentBytes += bytes) });
}

/**
 * Most apps need nothing that the quick base lacks. One that does (a compiler, a Debian package) is built on
 * Debian's, at once where its plan says so, else when a step failed for it.
 */
async function buildWith(builder: EngineBuilder, spec: BuildSpec, watch: Watch): Promise<BuiltImage> {
  const contextDir = await inside(spec.contextDir, spec.outcome.info.rootDirectory);
  const basesFor = (form: BaseForm) =>
    builder.basesFor(form, spec.outcome.info.versions["node"]?.version, watch.say);
  if (await asksForDebian(contextDir, spec))
    return buildOn(builder, spec, contextDir, watch, await basesFor("debian"));
  const quick = await basesFor("quick");
  try {
    return await buildOn(builder, spec, contextDir, watch, quick);
  } catch (error) {
    if (!(error instanceof BuildFailed) || !lacksProgram(error) || watch.signal.aborted) throw error;
    const full = await basesFor("debian");
    if (full.builder === quick.builder) throw error;
    watch.say(`${error.message}; the quick base may lack what it needs, so it is built again on Debian's`);
    return buildOn(builder, spec, contextDir, watch, full);
  }
}

async function asksForDebian(contextDir: string, { outcome }: BuildSpec): Promise<boolean> {
  const usesApt = /\b(apt-get|apt|dpkg)\b/;
  if (outcome.kind === "plan")
    return outcome.plan.steps.some(({ commands }) =>
      commands.some((one) => "cmd" in one && usesApt.test(one.cmd)),
    );
  const file = await inside(contextDir, outcome.path);
  return usesApt.test(await readFile(file, "utf8").catch(() => ""));
}

const signsOfLack =
  /(: not found|command not found)$|gyp ERR!|ensurepip|No module named '?(pip|venv)|this base image has no|\b(gcc|g\+\+|cc1)\b/;

/** Whether a step seems to have failed for a program that is not there. */
const lacksProgram = ({ exitCode, lastLines }: BuildFailed): boolean =>
  exitCode === 127 || lastLines.some((line) => signsOfLack.test(line.trim()));

async function buildOn(
  builder: EngineBuilder,
  spec: BuildSpec,
  contextDir: string,
  { signal, onLog, onSent }: Watch,
  bases: BaseImages,
): Promise<BuiltImage> {
  signal.throwIfAborted();
  const { outcome } = spec;
  await using client = await openBuildKit(dockerTransport(builder.engineSocket));
  const options = {
    contextDir,
    tags: [`${repositoryOf(spec)}:${spec.buildId}`],
    secrets: spec.variables,
    cacheNamespace: `${spec.workspaceId}/${spec.projectId}`,
    noCache: spec.noCache,
    signal,
    onLog,
    onSent,
  };
  if (outcome.kind === "plan") return await buildPlan(client, { ...options, plan: outcome.plan, bases });
  const dockerfilePath = path.relative(contextDir, await inside(contextDir, outcome.path));
  const buildArgs = Object.fromEntries(
    Object.entries(spec.variables).filter(([name]) => !spec.secretNames.includes(name)),
  );
  const standIn = standInBases(bases.builder);
  return await buildDockerfile(client, { ...options, dockerfilePath, buildArgs, standIn });
}

/** Steps the builder makes for itself; a person sees them only when they fail. */
const isInternal = (step: string): boolean =>
  /^(\[internal\]|use image|look at image|load source)/.test(step);

/** What the builder does for every build is shown, and no step of this one. */
const isStep = (step: string): boolean => !isInternal(step) && !step.startsWith("exporting ");

function writeEvent(
  spool: LogSpool,
  { step, stream, text, cached, durationMs }: BuildEvent,
  redact: (text: string) => string,
): void {
  const shown = redact(step);
  if (stream !== "status") return spool.line(shown, stream, redact(text));
  const isOver = text === "done" || text === "cached";
  if (text === "" || (isInternal(step) && isOver)) return;
  // A step that runs says nothing between its beginning and its end: other words are why it failed.
  const outcome = cached ? "cached" : text === "done" ? "done" : "failed";
  const ended: StepEnd = { outcome, ...(durationMs !== undefined && { durationMs }) };
  const words = outcome === "done" && durationMs !== undefined ? `done in ${sayDuration(durationMs)}` : text;
  spool.line(shown, "status", redact(words), isStep(step) ? ended : undefined);
}

/** One sentence, then the end of the output. */
function reasonOf({ message, lastLines }: BuildFailed): string {
  const lines = lastLines.filter((line) => line.trim() !== "").slice(-20);
  return [message, ...lines.map((line) => line.slice(0, 500))].join("\n");
}
