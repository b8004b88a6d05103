import { letGoMax, type StatusReport } from "@starform/contract/clusters";
import { canonicalJson } from "@starform/std/canonical-json";
import { wordsOf } from "@starform/std/fault";
import type { Cluster } from "../core/cluster.ts";
import { doorbell } from "../core/doorbell.ts";
import { endedHolds, type Override } from "../core/overrides.ts";
import type { Starbase } from "../core/ports.ts";
import { partsOf, type ServiceKey } from "../core/service-key.ts";
import { starbaseBackoffMs } from "../core/starbase-backoff.ts";
import { systemTime, type Time } from "../core/time.ts";
import type { Warn } from "../core/warn.ts";

export interface StatusLoop extends AsyncDisposable {
  /** Something may have changed about the service: if it has, that is reported at once. */
  look(key: ServiceKey): void;
}
type Deps = {
  readonly starbase: Starbase;
  readonly cluster: Cluster;
  readonly keys: () => readonly ServiceKey[];
  /** What holds the service at an earlier version, or did; told with each of its reports. */
  readonly override: (key: ServiceKey) => Override | undefined;
  /** Starbase has taken a report with it. */
  readonly overrideTold: (override: Override) => void;
  /** What is to be told of a service that is left alone, as the cluster may not know it. */
  readonly leftAlone: (key: ServiceKey, observed: Observed) => Observed;
  readonly warn: Warn;
  readonly time?: Time;
};

type Observed = ReturnType<Cluster["observe"]>;
/** What was reported last of a service. */
type Told = {
  readonly observed: NonNullable<Observed>;
  readonly by: Override | undefined;
};

/** Changes that come together are told together. */
const gatherMs = 30;
const atOnceMax = 5_000;
/** A quarter of what Starbase takes at once: what was changed by hand, and said last, may be many times all else. */
const atOnceBytes = 2 ** 20;

/** Tells Starbase what runs: on change, and all of it once per interval. */
export function statusLoop(
  { starbase, cluster, keys, override, overrideTold, leftAlone, warn, time = systemTime }: Deps,
  intervalMs: number,
): StatusLoop {
  const ending = new AbortController();
  const told = new Map<ServiceKey, Told>();
  const toLookAt = new Set<ServiceKey>();
  const bell = doorbell(time);
  let dueMs = 0;

  const post = async (): Promise<void> => {
    const isFull = time.elapsedMs() >= dueMs;
    const wanted = keys();
    const looked = isFull ? wanted : wanted.filter((key) => toLookAt.has(key));
    toLookAt.clear();
    const fresh = looked.flatMap((key) => {
      const [observed, by] = [leftAlone(key, cluster.observe(key)), override(key)];
      if (!observed) return [];
      const [now, before] = [{ observed, by }, told.get(key)];
      return isFull || !before || !saysTheSame(now, before) ? [{ key, now, report: reportOf(now) }] : [];
    });
    const runs = cluster.cronRuns().slice(0, atOnceMax);
    if (fresh.length === 0 && runs.length === 0)
      return void (isFull && (dueMs = time.elapsedMs() + intervalMs));
    for (const [at, part] of portionsOf(fresh).entries()) {
      const reports = part.map(({ report }) => report);
      const refused = await starbase
        .postStatus(reports, at === 0 ? runs : [], ending.signal)
        .catch((error: unknown) => {
          for (const { key } of fresh) toLookAt.add(key);
          throw error;
        });
      for (const { serviceId, reason } of refused)
        warn(`Starbase did not take a report: ${serviceId}: ${reason}`, onlyKeyOf(serviceId, wanted));
      const untold = new Set(refused.map(({ serviceId }) => serviceId));
      for (const { key, now } of part) {
        told.set(key, now);
        if (now.by && !untold.has(partsOf(key).serviceId)) overrideTold(now.by);
      }
      if (at === 0 && runs.length > 0) await cluster.cronRunsTaken(runs);
    }
    if (isFull) {
      dueMs = time.elapsedMs() + intervalMs;
      const present = new Set(wanted);
      for (const key of told.keys()) if (!present.has(key)) told.delete(key);
    }
  };
  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      if (fails > 0) await time.pause(starbaseBackoffMs(fails), ending.signal);
      else await bell.rings(Math.max(1, dueMs - time.elapsedMs()));
      await time.pause(gatherMs, ending.signal);
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
    look(key) {
      toLookAt.add(key);
      bell.ring();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      bell.ring();
      await running;
    },
  };
}

/** As many as Starbase takes at once, by their number and by what they weigh; one part where there is nothing. */
function portionsOf<T extends { readonly report: StatusReport }>(
  fresh: readonly T[],
): readonly (readonly T[])[] {
  const parts: T[][] = [[]];
  let bytes = 0;
  for (const one of fresh) {
    const size = Buffer.byteLength(JSON.stringify(one.report));
    const { length } = parts.at(-1)!;
    if (length === atOnceMax || (length > 0 && bytes + size > atOnceBytes)) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(one);
    bytes += size;
  }
  return parts;
}

const reportOf = ({ observed, by }: Told): StatusReport => ({ ...observed, ...byHand(by) });

/** That the document has a new version is no news of a service. */
const saysTheSame = (now: Told, before: Told): boolean =>
  (now.observed === before.observed && now.by === before.by) ||
  canonicalJson({ ...reportOf(now), observed_version: 0 }) ===
    canonicalJson({ ...reportOf(before), observed_version: 0 });

/** Undefined for a service that is in several environments: the answer does not say which of them is meant. */
function onlyKeyOf(serviceId: string, keys: readonly ServiceKey[]): ServiceKey | undefined {
  const [key, ...more] = keys.filter((each) => partsOf(each).serviceId === serviceId);
  return more.length === 0 ? key : undefined;
}

function byHand(
  override: Override | undefined,
): Pick<StatusReport, "divergence" | "let_go" | "let_go_earlier"> {
  if (!override) return {};
  const { from_version, instead_of, by, at, let_go } = override;
  const ended = endedHolds(override).map(({ let_go, ...hold }) => ({
    ...hold,
    let_go_by: let_go.by,
    let_go_at: let_go.at,
  }));
  const [last, earlier] = [ended.at(-1), ended.slice(-letGoMax, -1)];
  return {
    ...(let_go ? {} : { divergence: { from_version, instead_of, by, at } }),
    ...(last ? { let_go: last } : {}),
    ...(earlier.length > 0 ? { let_go_earlier: earlier } : {}),
  };
}
