import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import type { Cluster, PodUsage } from "../core/cluster.ts";
import type { Metrics } from "../core/metrics.ts";

type Deps = {
  readonly cluster: Pick<Cluster, "usage" | "informers">;
  readonly metrics: Metrics;
  readonly warn: (sentence: string) => void;
  /** A scraper gives up after five seconds. */
  readonly withinMs?: number;
};

/** Shuttle's figures and those of its apps. What the cluster does not tell in time is left out; Shuttle's own never are. */
export function metricsText({ cluster, metrics, warn, withinMs = 3_000 }: Deps): () => Promise<string> {
  let fails = 0;
  const late = async (signal: AbortSignal): Promise<never> => {
    await pause(withinMs, signal);
    throw new Error(`it took more than ${withinMs / 1_000} s to see what the apps use`);
  };
  return async () => {
    const over = new AbortController();
    const none: readonly PodUsage[] = [];
    const usage = await Promise.race([cluster.usage(), late(over.signal)])
      .then((seen) => {
        fails = 0;
        return seen;
      })
      .catch((error: unknown) => {
        metrics.watchError("usage");
        if (fails++ % 30 === 0) warn(`the metrics of the apps have a gap: ${wordsOf(error)}`);
        return none;
      })
      .finally(() => over.abort());
    for (const informer of cluster.informers?.() ?? []) metrics.informer(informer);
    return metrics.text(usage);
  };
}
