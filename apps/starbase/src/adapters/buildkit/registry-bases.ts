import type { BaseImages } from "@starform/buildkit/base-images";
import { BuildFailed } from "@starform/buildkit/build-failed";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { isUnreachable } from "@starform/buildkit/stand-in";

/** What the images begin with that plans name. */
const plansOwn = ["ghcr.io/railwayapp/railpack-builder:", "ghcr.io/railwayapp/railpack-runtime:"];
/** A registry that did not answer is asked again after so long. */
const restMs = 5 * 60_000;

/** The bases that a registry hands out, with every tool that mise has. */
export type RegistryBases = {
  /** The image built on them; undefined where their registry does not answer, and the build goes on without it. */
  tried(attempt: {
    readonly workspaceId: string;
    readonly build: (bases: BaseImages | undefined) => Promise<BuiltImage>;
    readonly say: (text: string) => void;
    readonly tools: readonly string[];
  }): Promise<BuiltImage | undefined>;
};

/** `bases` takes the place of the images that plans name; `now` is in ms. */
export function registryBases(bases: BaseImages | undefined, now = Date.now): RegistryBases {
  /** By workspace: whatever somebody's build says of a registry, it says to them alone. */
  const awayUntilMs = new Map<string, number>();
  const own = bases ? [bases.builder, bases.runtime] : plansOwn;
  const isOfBase = ({ step = "" }: BuildFailed): boolean =>
    own.some((reference) => step.includes(` ${reference}`));
  return {
    async tried({ workspaceId, build, say, tools }) {
      const from = bases?.builder ?? "the images that its plan names";
      const instead = `what this machine's own bases have takes the place of ${tools.join(", ")}`;
      if (now() < (awayUntilMs.get(workspaceId) ?? 0)) {
        say(`the registry of ${from} did not answer lately, so ${instead}`);
        return undefined;
      }
      say(`built on ${from}, for ${tools.join(", ")}`);
      try {
        return await build(bases);
      } catch (error) {
        if (!(error instanceof BuildFailed) || !isUnreachable(error) || !isOfBase(error)) throw error;
        for (const [id, ms] of awayUntilMs) if (ms <= now()) awayUntilMs.delete(id);
        awayUntilMs.set(workspaceId, now() + restMs);
        say(`${error.message}; ${instead}`);
        return undefined;
      }
    },
  };
}
