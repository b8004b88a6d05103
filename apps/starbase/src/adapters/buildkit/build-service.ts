import path from "node:path";
import { mkdirSync } from "node:fs";
import { ensureBaseImages, type BaseImages } from "@starform/buildkit/base-images";
import { dockerEngine } from "@starform/buildkit/engine";
import { isStored } from "../../core/images/is-stored.ts";
import type { BuildService } from "../../ports/build-service.ts";
import { machineLimits, type BuildLimits } from "../process-builder/build-limits.ts";
import { boundedBuilds } from "./bounded-build.ts";
import { buildInEngine, type BaseForm, type EngineBuilder } from "./build-in-engine.ts";
import { ownEngine } from "./engine-group.ts";
import { fileLedger } from "./file-ledger.ts";
import type { PushRegistry } from "./push-target.ts";
import { enginePrefix } from "./refuse-foreign-images.ts";
import { registryBases } from "./registry-bases.ts";
import { runningBuilds } from "./running-builds.ts";
import { sayWalls } from "./say-walls.ts";

export type BuildKitServiceOptions = {
  /** The socket of the Docker Engine that builds, and keeps the images. */
  readonly engineSocket: string;
  /** Where images are pushed, for clusters that do not run on this engine. */
  readonly registry?: PushRegistry | undefined;
  /** What the names of images in this installation's registry begin with; the engine may have pulled some. */
  readonly registryPrefix?: string | undefined;
  readonly cacheDir: string;
  /** Logs, locks and records of builds. */
  readonly workDir: string;
  /** What plans start from that our own bases cannot serve, in place of the images they name. */
  readonly bases?: BaseImages | undefined;
  /** Where a plan does not ask for a version. */
  readonly nodeVersion?: string;
  /** For the operator. */
  readonly log: (text: string) => void;
  readonly limits?: Partial<BuildLimits>;
};

/**
 * Builds with the BuildKit of a Docker Engine; the images stay in the engine's own store, and are pushed into the
 * registry where one is given. A build whose process was
 * killed is ended by the engine with its connection, and `unknown` to the next; one that had its image by then is
 * `succeeded`.
 */
export function buildkitBuildService(options: BuildKitServiceOptions): BuildService & AsyncDisposable {
  const { engineSocket, registry, registryPrefix, workDir, log } = options;
  mkdirSync(workDir, { recursive: true });
  const limits = { ...machineLimits(), ...options.limits };
  const engine = dockerEngine(engineSocket);
  let wallWords: Promise<string | undefined> | undefined;
  const builder: EngineBuilder = {
    engineSocket,
    registry,
    projectPrefixes: [enginePrefix, registryPrefix ?? registry?.prefix].filter((one) => one !== undefined),
    limits,
    bounded: boundedBuilds(ownEngine(engineSocket), limits),
    layersOf: engine.layers,
    wallWords: () => (wallWords ??= sayWalls(engineSocket)),
    registryBases: registryBases(options.bases),
    basesFor: rememberedBases(options),
  };
  const isThere = registry
    ? isStored(registry)
    : async ({ imageDigest }: { imageDigest: string }) => (await engine.image(imageDigest)) !== undefined;
  return {
    ...runningBuilds({
      workDir,
      logBytesMax: limits.logBytesMax,
      ledger: fileLedger(workDir, isThere, log),
      run: (job) => buildInEngine(builder, job),
      log,
    }),

    async ensureProject() {
      // A workspace has no place of its own here: its caches are kept apart by name.
    },
  };
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
