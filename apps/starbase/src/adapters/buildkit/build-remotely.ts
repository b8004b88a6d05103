import type { BaseImages } from "@starform/buildkit/base-images";
import type { BuiltImage } from "@starform/buildkit/built-image";
import type { BuildSpec } from "../../ports/build-service.ts";
import { bothLimits, machineLimits } from "../process-builder/build-limits.ts";
import { buildImage } from "./build-image.ts";
import type { LedgerImage } from "./build-ledger.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { pushedImage, pushTarget, type PushRegistry } from "./push-target.ts";
import type { BuildJob } from "./running-builds.ts";
import { untilBuilt } from "./until-built.ts";
import { watchedBuild, type Watch } from "./watched-build.ts";

export type RemoteBuilder = {
  readonly pool: BuilderPool;
  readonly registry: PushRegistry;
  /** Stand in for the images that plans name; without them those are fetched by the builder. */
  readonly bases?: BaseImages;
};

/** One build from its source to its image in the registry. Throws BuildStopped for what the customer must change. */
export function buildRemotely(builder: RemoteBuilder, job: BuildJob): Promise<LedgerImage> {
  const { wallClockMs } = bothLimits({ ...machineLimits(), ...unboundHere }, job.spec.limits);
  return watchedBuild(job, wallClockMs, async (watch) => {
    watch.say(unbounded);
    const { registry } = builder;
    const repository = await registry.ensureRepository(job.spec);
    const { digest } = await untilBuilt(watch, () => attempt(builder, job.spec, watch, wallClockMs));
    watch.say(`image ${digest.slice(0, 19)}`);
    return pushedImage(registry, job.spec, { repository, digest });
  });
}

const unbounded =
  "memory, processors, processes and disk of this build are not bounded by its workspace's plan, but by its builder, which is elsewhere";
/** They are not this machine's either. */
const unboundHere = { cpuMillisMax: Infinity, memoryBytesMax: Infinity, processesMax: Infinity };

async function attempt(
  { pool, registry, bases }: RemoteBuilder,
  spec: BuildSpec,
  watch: Watch,
  wallClockMs: number,
): Promise<BuiltImage> {
  const target = await pushTarget(registry, spec, { wallClockMs, hide: watch.hide });
  return await pool.withBuilder(spec, watch, (client) =>
    buildImage(client, spec, watch, { ...target, ...(bases && { bases }) }),
  );
}
