import { BuilderLost } from "@starform/buildkit/builder-lost";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { backoffMs, pause } from "@starform/std/retry";
import type { Watch } from "./watched-build.ts";

/** A build whose builder went away is tried so often in any case: it may be the build that takes it down. */
const attemptsMin = 3;
/** And until then, since a builder that is started anew takes a while. */
const awayMaxMs = 60_000;
const waits = { firstMs: 250, maxMs: 5_000 };

/**
 * Builds, and starts anew where the builder was lost, which the log says; what was built by then is in its cache. Rejects as
 * `build` does.
 */
export async function untilBuilt(
  watch: Pick<Watch, "signal" | "say">,
  build: () => Promise<BuiltImage>,
  patience = { awayMaxMs, ...waits },
): Promise<BuiltImage> {
  let [lostAtMs, said] = [Infinity, ""];
  for (let tried = 1; ; tried += 1) {
    try {
      return await build();
    } catch (error) {
      if (!(error instanceof BuilderLost) || watch.signal.aborted) throw error;
      lostAtMs = Math.min(lostAtMs, performance.now());
      if (tried >= attemptsMin && performance.now() - lostAtMs > patience.awayMaxMs) throw error;
      if (error.message !== said) watch.say(`${error.message}; the build starts anew once it answers`);
      said = error.message;
      await pause(backoffMs(patience, tried), watch.signal);
    }
  }
}
