import type { StatusReport } from "@starform/contract/clusters";
import { canonicalJson } from "@starform/std/canonical-json";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import type { Cluster } from "../core/cluster.ts";
import { doorbell } from "../core/doorbell.ts";
import type { Override } from "../core/overrides.ts";
import type { Starbase } from "../core/ports.ts";
import type { ServiceKey } from "../core/service-key.ts";
import { starbaseBackoffMs } from "../core/starbase-backoff.ts";

export interface StatusLoop extends AsyncDisposable {
  /** Something may have changed: what has is reported at once. */
  look(): void;
}
type Deps = {
  readonly starbase: Starbase;
  readonly cluster: Cluster;
  readonly keys: () => readonly ServiceKey[];
  /** What holds the service at an earlier version; told with each of its reports. */
  readonly held: (key: ServiceKey) => Override | undefined;
  readonly warn: (sentence: string) => void;
};

/** Changes that come together are told together. */
const gatherMs = 30;
const atOnceMax = 5_000;

/** Tells Starbase what runs: on change, and all of it once per interval. */
export function statusLoop({ starbase, cluster, keys, held, warn }: Deps, intervalMs: number): StatusLoop {
  const ending = new AbortController();
  const told = new Map<ServiceKey, string>();
  const bell = doorbell();
  let dueMs = 0;

  const post = async (): Promise<void> => {
    const isFull = performance.now() >= dueMs;
    const seen = keys().flatMap((key) => {
      const observed = cluster.observe(key);
      const report = observed && { ...observed, divergence: divergenceOf(held(key)) };
      return report
        ? [
            {
              key,
              report,
              text: canonicalJson({ ...report, observed_version: 0 }),
              version: report.observed_version,
            },
          ]
        : [];
    });
    const fresh = seen.filter(({ key, text }) => isFull || told.get(key) !== text);
    const runs = cluster.cronRuns().slice(0, atOnceMax);
    if (fresh.length === 0 && runs.length === 0)
      return void (isFull && (dueMs = performance.now() + intervalMs));
    for (let at = 0; at === 0 || at < fresh.length; at += atOnceMax) {
      const part = fresh.slice(at, at + atOnceMax);
      const refused = await starbase.postStatus(
        part.map(({ report }) => report as StatusReport),
        at === 0 ? runs : [],
        ending.signal,
      );
      for (const sentence of refused) warn(`Starbase did not take a report: ${sentence}`);
      for (const { key, text } of part) told.set(key, text);
      if (at === 0 && runs.length > 0) await cluster.cronRunsTaken(runs);
    }
    if (isFull) {
      dueMs = performance.now() + intervalMs;
      const present = new Set(seen.map(({ key }) => key));
      for (const key of told.keys()) if (!present.has(key)) told.delete(key);
    }
  };
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      if (fails > 0) await pause(starbaseBackoffMs(fails), ending.signal);
      else await bell.rings(Math.max(1, dueMs - performance.now()));
      await pause(gatherMs, ending.signal);
      try {
        await post();
        fails = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (fails++ % 20 === 0) warn(`Starbase was not told what runs; it is told again: ${wordsOf(error)}`);
      }
    }
  };
  const running = run();
  return {
    look: bell.ring,
    async [Symbol.asyncDispose]() {
      ending.abort();
      bell.ring();
      await running;
    },
  };
}

const divergenceOf = (override: Override | undefined): StatusReport["divergence"] =>
  override && {
    from_version: override.from_version,
    instead_of: override.instead_of,
    by: override.by,
    at: override.at,
  };
