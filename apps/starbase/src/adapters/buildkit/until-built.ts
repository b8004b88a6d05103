import { BuilderLost } from "@starform/buildkit/builder-lost";
import type { BuiltImage } from "@starform/buildkit/built-image";
import type { Watch } from "./watched-build.ts";

/** How often a build is tried whose builder goes away. What was built by then is in its cache. */
const attemptsMax = 3;

/** Builds, and starts anew where the builder was lost, which the log says. Rejects as `build` does. */
export async function untilBuilt(watch: Watch, build: () => Promise<BuiltImage>): Promise<BuiltImage> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await build();
    } catch (error) {
      if (!(error instanceof BuilderLost) || watch.signal.aborted || tried >= attemptsMax) throw error;
      watch.say(`${error.message}; the build starts anew (attempt ${tried + 1} of ${attemptsMax})`);
    }
  }
}
