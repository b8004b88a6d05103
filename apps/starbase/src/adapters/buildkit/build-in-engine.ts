import { readFile } from "node:fs/promises";
import type { BaseImages } from "@starform/buildkit/base-images";
import { BuildFailed } from "@starform/buildkit/build-failed";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { openBuildKit } from "@starform/buildkit/client";
import type { Engine } from "@starform/buildkit/engine";
import { dockerTransport } from "@starform/buildkit/transport";
import { unlessAborted } from "@starform/buildkit/unless-aborted";
import type { BuildSpec } from "../../ports/build-service.ts";
import { bothLimits, type BuildLimits } from "../process-builder/build-limits.ts";
import { inside } from "../process-builder/copy-tree.ts";
import type { BoundedBuilds } from "./bounded-build.ts";
import { markName, markOf } from "./build-mark.ts";
import { buildImage, type ImageTarget } from "./build-image.ts";
import type { LedgerImage } from "./build-ledger.ts";
import { quickTools, toolsOwnBasesLack } from "./own-bases.ts";
import { pushedImage, pushTarget, type PushRegistry } from "./push-target.ts";
import { enginePrefix } from "./refuse-foreign-images.ts";
import type { RegistryBases } from "./registry-bases.ts";
import type { BuildJob } from "./running-builds.ts";
import { untilBuilt } from "./until-built.ts";
import { watchedBuild, type Watch } from "./watched-build.ts";

export type EngineBuilder = {
  readonly engineSocket: string;
  /** Where images go besides; without one they stay in the engine's own store only. */
  readonly registry: PushRegistry | undefined;
  /** What the names of images begin with that may lie in the engine's store and are each one project's. */
  readonly projectPrefixes: readonly string[];
  readonly limits: BuildLimits;
  readonly bounded: BoundedBuilds;
  readonly layersOf: Engine["layers"];
  /** What a build is to say of the walls around it; nothing where they stand. */
  readonly wallWords: () => Promise<string | undefined>;
  readonly registryBases: RegistryBases;
  /** The images made here that plans start from, for a version of Node; made once. */
  readonly basesFor: (
    form: BaseForm,
    nodeVersion: string | undefined,
    say: (text: string) => void,
  ) => Promise<BaseImages>;
};

/** `quick` is made of this machine's own programs in seconds; `debian` has apt and compilers and takes a minute or two, once. */
export type BaseForm = "quick" | "debian";

/** The repository of a service's images in the engine's store. */
export const repositoryOf = ({ projectId, serviceId }: Pick<BuildSpec, "projectId" | "serviceId">): string =>
  `${enginePrefix}/${projectId}/${serviceId}`;

/** One build from its source to its image in the engine. Throws BuildStopped for what the customer must change. */
export const buildInEngine = (builder: EngineBuilder, job: BuildJob): Promise<LedgerImage> => {
  const limits = bothLimits(builder.limits, job.spec.limits);
  return watchedBuild(job, limits.wallClockMs, async (watch) => {
    const words = await builder.wallWords();
    if (words) watch.say(words);
    const { registry } = builder;
    const place = registry
      ? await pushTarget(registry, job.spec, { wallClockMs: limits.wallClockMs, hide: watch.hide })
      : { repository: repositoryOf(job.spec) };
    const target = { ...place, projectPrefixes: builder.projectPrefixes };
    const built = await builder.bounded.run({ buildId: job.spec.buildId, limits }, watch, (bounded) =>
      buildOnBestBase(builder, job.spec, bounded, target),
    );
    const layers = await builder.layersOf(built.imageId);
    if (layers.length > 0)
      job.note({
        layers: layers.map((one) => ({ ...one, createdBy: watch.redact(one.createdBy).slice(0, 200) })),
      });
    const { digest } = built;
    watch.say(`image ${(registry ? digest : built.imageId).slice(0, 19)}`);
    if (registry) return pushedImage(registry, job.spec, { repository: target.repository, digest });
    return {
      image: `${repositoryOf(job.spec)}@${built.imageId}`,
      imageDigest: built.imageId,
      sizeBytes: built.sizeBytes ?? 0,
    };
  });
};

/**
 * Most apps need nothing that the quick base lacks. A plan whose tools our own bases do not have as it asks for them starts
 * from the images that it names, where their registry answers. What needs a compiler or a Debian package is built on
 * Debian's, at once where its plan says so, else when a step failed for it.
 */
async function buildOnBestBase(
  builder: EngineBuilder,
  spec: BuildSpec,
  watch: Watch,
  target: ImageTarget,
): Promise<BuiltImage> {
  const buildOn = (bases: BaseImages | undefined): Promise<BuiltImage> =>
    untilBuilt(watch, async () => {
      await using client = await openBuildKit(dockerTransport(builder.engineSocket));
      const hosts = { [markName]: markOf(spec.buildId) };
      return await buildImage(client, spec, watch, { ...target, hosts, ...(bases && { bases }) });
    });
  // Bases take a minute or two when they are made; whoever cancels meanwhile does not wait for them.
  const basesFor = (form: BaseForm) =>
    unlessAborted(
      builder.basesFor(form, spec.outcome.info.versions["node"]?.version, watch.say),
      watch.signal,
    );
  // A frontend image brings what its plans start from.
  if (spec.outcome.kind === "plan" && spec.outcome.frontend) return buildOn(undefined);
  const lacking = await toolsOwnBasesLack(spec.outcome);
  if (lacking.length > 0) {
    const { workspaceId } = spec;
    const attempt = { workspaceId, build: buildOn, say: watch.say, tools: lacking };
    const built = await builder.registryBases.tried(attempt);
    if (built) return built;
  }
  if (await asksForDebian(spec)) return buildOn(await basesFor("debian"));
  const quick = await basesFor("quick");
  try {
    return await buildOn(quick);
  } catch (error) {
    if (!(error instanceof BuildFailed) || !lacksProgram(error) || watch.signal.aborted) throw error;
    const full = await basesFor("debian");
    if (full.builder === quick.builder) throw error;
    watch.say(`${error.message}; the quick base may lack what it needs, so it is built again on Debian's`);
    return buildOn(full);
  }
}

async function asksForDebian({ contextDir, outcome }: BuildSpec): Promise<boolean> {
  const usesApt = /\b(apt-get|apt|dpkg)\b/;
  if (outcome.kind === "plan")
    return (
      Object.keys(outcome.info.versions).some((tool) => !quickTools.has(tool)) ||
      outcome.plan.steps.some(({ commands }) => commands.some((one) => "cmd" in one && usesApt.test(one.cmd)))
    );
  const file = await inside(await inside(contextDir, outcome.info.rootDirectory), outcome.path);
  return usesApt.test(await readFile(file, "utf8").catch(() => ""));
}

const signsOfLack =
  /(: not found|command not found)$|gyp ERR!|ensurepip|No module named '?(pip|venv)|this base image has no|\b(gcc|g\+\+|cc1)\b/;

/** Whether a step seems to have failed for a program that is not there. */
const lacksProgram = ({ exitCode, lastLines }: BuildFailed): boolean =>
  exitCode === 127 || lastLines.some((line) => signsOfLack.test(line.trim()));
