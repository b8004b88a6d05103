import { wordsOf } from "@starform/std/fault";
import type { Starbase } from "../core/ports.ts";
import { starbaseBackoffMs } from "../core/starbase-backoff.ts";
import { systemTime, type Time } from "../core/time.ts";
import type { DesiredView } from "./desired-view.ts";

type Deps = {
  readonly starbase: Starbase;
  readonly view: Pick<DesiredView, "etag" | "take">;
  readonly reached: () => void;
  readonly warn: (sentence: string) => void;
  readonly time?: Time;
};

/** Long polls and their floor: when Starbase does not hold the request, it is asked this often. */
const waitSeconds = 30;

/** Keeps the desired state as new as Starbase has it, and as it last was while Starbase is away. */
export function desiredStateLoop(deps: Deps, intervalMs: number): AsyncDisposable {
  const { time = systemTime } = deps;
  const ending = new AbortController();
  let [hasAsked, emptyAnswers] = [false, 0];

  const ask = async (): Promise<void> => {
    const [beganMs, isFirst] = [time.elapsedMs(), !hasAsked];
    const wait = hasAsked ? waitSeconds : 0;
    const fetched = await deps.starbase.fetchDesired(deps.view.etag, wait, ending.signal);
    hasAsked = true;
    deps.reached();
    const isNews = fetched.kind === "document" && (await deps.view.take(fetched));
    // A server that does not hold the request, or sends what is refused or known, must not be asked without end.
    const isEmpty = !isNews && !isFirst && time.elapsedMs() - beganMs < 1_000;
    emptyAnswers = isEmpty ? emptyAnswers + 1 : 0;
    if (isEmpty) await time.pause(Math.min(intervalMs, 100 * 2 ** emptyAnswers), ending.signal);
  };
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      try {
        await ask();
        fails = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (fails++ % 20 === 0)
          deps.warn(
            `Starbase was not asked for the desired state, and the last good one stays: ${wordsOf(error)}`,
          );
        await time.pause(starbaseBackoffMs(fails), ending.signal);
      }
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
