import { wordsOf } from "@starform/std/fault";
import type { Cluster } from "../core/cluster.ts";
import type { Starbase } from "../core/ports.ts";
import { starbaseBackoffMs } from "../core/starbase-backoff.ts";
import { systemTime, type Time } from "../core/time.ts";

export const shuttleVersion = "0.1.0";

type Deps = {
  readonly starbase: Starbase;
  readonly cluster: Cluster;
  readonly region: string;
  readonly warn: (sentence: string) => void;
  readonly reached: () => void;
  readonly time?: Time;
};

/** Says once what this cluster is; repeated until it is heard. */
export function registering({
  starbase,
  cluster,
  region,
  warn,
  reached,
  time = systemTime,
}: Deps): AsyncDisposable {
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    const { runtime, kubernetesVersion, capabilities } = cluster;
    for (let fails = 0; !ending.signal.aborted;)
      try {
        await starbase.register(
          { shuttleVersion, runtime, kubernetesVersion, capabilities, region },
          ending.signal,
        );
        return reached();
      } catch (error) {
        if (fails++ % 20 === 0 && !ending.signal.aborted)
          warn(`Starbase does not know this cluster's Shuttle yet: ${wordsOf(error)}`);
        await time.pause(starbaseBackoffMs(fails), ending.signal);
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
