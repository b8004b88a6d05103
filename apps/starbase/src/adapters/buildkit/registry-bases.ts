import type { BaseImages } from "@starform/buildkit/base-images";
import { BuildFailed } from "@starform/buildkit/build-failed";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { isUnreachable } from "@starform/buildkit/stand-in";

/** A registry that did not answer is asked again after so long. */
const restMs = 5 * 60_000;

/** The bases that a registry hands out, with every tool that mise has. */
export type RegistryBases = {
  /** The image built on them; undefined where their registry does not answer, and the build goes on without it. */
  tried(
    build: (bases: BaseImages | undefined) => Promise<BuiltImage>,
    say: (text: string) => void,
    tools: readonly string[],
  ): Promise<BuiltImage | undefined>;
};

/** `bases` takes the place of the images that plans name; `now` is in ms. */
export function registryBases(bases: BaseImages | undefined, now = Date.now): RegistryBases {
  let awayUntilMs = 0;
  return {
    async tried(build, say, tools) {
      const from = bases?.builder ?? "the images that its plan names";
      const instead = `what this machine's own bases have takes the place of ${tools.join(", ")}`;
      if (now() < awayUntilMs) {
        say(`the registry of ${from} did not answer lately, so ${instead}`);
        return undefined;
      }
      say(`built on ${from}, for ${tools.join(", ")}`);
      try {
        return await build(bases);
      } catch (error) {
        if (!(error instanceof BuildFailed) || !isUnreachable(error)) throw error;
        awayUntilMs = now() + restMs;
        say(`${error.message}; ${instead}`);
        return undefined;
      }
    },
  };
}
