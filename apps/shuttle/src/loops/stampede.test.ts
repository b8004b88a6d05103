import { Fault } from "@starform/std/fault";
import { expect, test, vi } from "vitest";
import { seeded, simulatedTime } from "../../test/simulated-time.ts";
import type { Cluster } from "../core/cluster.ts";
import type { SnapshotLog, Starbase } from "../core/ports.ts";
import { capacityLoop } from "./capacity.ts";
import { desiredStateLoop } from "./desired-state.ts";
import { registering } from "./registering.ts";
import { snapshotLoop } from "./snapshots.ts";
import { statusLoop } from "./status.ts";

const shuttles = 1_000;
const minuteMs = 60_000;
const windowMs = 100;
const startMs = Date.parse("2026-11-29T08:00:00Z");
const capacity = {
  podCount: 1,
  nodes: 1,
  cpuAllocatableMillis: 1,
  memoryAllocatableBytes: 1,
  cpuRequestedMillis: 1,
  memoryRequestedBytes: 1,
};
type Call = keyof Starbase;

function plainLog(): SnapshotLog {
  const batches: { name: string; snapshots: Parameters<SnapshotLog["append"]>[0] }[] = [];
  const drop = (): void => void batches.shift();
  return {
    outlivesProcess: true,
    writtenThrough: () => undefined,
    append: (snapshots, at) => void batches.push({ name: at.toISOString(), snapshots }),
    oldest: () => batches[0],
    taken: drop,
    refused: drop,
  };
}

/** A thousand Shuttles, every loop of them that speaks to Starbase, with clocks that agree to the millisecond. */
function openFleet(seed: number) {
  const random = seeded(seed);
  const world = simulatedTime(startMs, 10);
  const { time } = world;
  const calls: { readonly call: Call; readonly atMs: number }[] = [];
  let isAway = false;
  /** What long polls wait for: with Starbase they all end in the same moment. */
  let going = new AbortController();
  const called = async (call: Call, takesMs: number): Promise<void> => {
    calls.push({ call, atMs: world.nowMs });
    if (isAway) throw new Fault("unavailable", "Starbase is away");
    await time.pause(takesMs, call === "fetchDesired" ? going.signal : undefined);
    if (isAway) throw new Fault("unavailable", "Starbase is away");
  };
  const starbase: Starbase = {
    fetchDesired: async (_etag, waitSeconds) => {
      await called("fetchDesired", waitSeconds * 1_000);
      return { kind: "unchanged" };
    },
    postSnapshots: async () => {
      await called("postSnapshots", 50);
      return [];
    },
    postCapacity: () => called("postCapacity", 20),
    postStatus: async () => {
      await called("postStatus", 50);
      return [];
    },
    register: () => called("register", 20),
  };
  const hex = (length: number) =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
  const open = (at: number): AsyncDisposable => {
    const clusterId = `${hex(8)}-0000-4000-8000-${hex(12)}`;
    const ids = { workspaceId: clusterId, projectId: clusterId, serviceId: clusterId };
    const pod = { ...ids, environment: "production", tier: "nova", phase: "Running" } as const;
    const cluster = {
      runtime: "kubernetes",
      runningPods: async () => [
        { ...pod, podId: `web-${at}`, cpuRequestMillis: 1, memoryRequestBytes: 1, startedAtMs: undefined },
      ],
      capacity: async () => capacity,
      observe: () => ({ phase: "running" }),
      cronRuns: () => [],
    } as unknown as Cluster;
    const quiet = { warn: () => undefined, reached: () => undefined, time };
    const stack = new AsyncDisposableStack();
    const count = () => undefined;
    const leftAlone = <T>(_: string, observed: T): T => observed;
    stack.use(registering({ starbase, cluster, region: "nyc3", ...quiet }));
    stack.use(
      desiredStateLoop({ starbase, view: { etag: '"1"', take: async () => true }, ...quiet }, 30_000),
    );
    stack.use(
      statusLoop(
        {
          starbase,
          cluster,
          keys: () => ["a/b/c"],
          override: count,
          overrideTold: count,
          leftAlone,
          ...quiet,
        },
        minuteMs,
      ),
    );
    stack.use(
      capacityLoop(
        { starbase, cluster, clusterId, softLimit: 1, seen: count, sent: count, ...quiet },
        minuteMs,
      ),
    );
    const log = plainLog();
    stack.use(
      snapshotLoop({ starbase, cluster, clusterId, log, sent: count, failed: count, ...quiet }, minuteMs),
    );
    return stack;
  };
  const stack = new AsyncDisposableStack();
  return {
    world,
    random,
    calls,
    /** They were started at different times of the last minutes, as they are. */
    async start(): Promise<void> {
      const starts = Array.from({ length: shuttles }, () => startMs + random() * minuteMs).toSorted(
        (a, b) => a - b,
      );
      for (const [at, ms] of starts.entries()) {
        await world.moveTo(ms);
        stack.use(open(at));
      }
    },
    goAway(): void {
      isAway = true;
      going.abort();
    },
    comeBack(): void {
      isAway = false;
      going = new AbortController();
    },
    async close(): Promise<void> {
      going.abort();
      const closing = stack.disposeAsync();
      await world.moveTo(world.nowMs + minuteMs);
      await closing;
    },
  };
}

/** How many calls the fullest tenth of a second saw, per kind of call. */
function fullest(
  calls: readonly { readonly call: Call; readonly atMs: number }[],
): Partial<Record<Call, number>> {
  const most: Partial<Record<Call, number>> = {};
  for (const [call, ofCall] of Map.groupBy(calls, ({ call }) => call))
    for (const inWindow of Map.groupBy(ofCall, ({ atMs }) => Math.floor(atMs / windowMs)).values())
      most[call] = Math.max(most[call] ?? 0, inWindow.length);
  return most;
}

test(
  "a thousand Shuttles never call in one moment: not on the minute, nor when Starbase is back from an outage",
  { timeout: 300_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const fleet = openFleet(seed);
    vi.spyOn(Math, "random").mockImplementation(fleet.random);
    try {
      await fleet.start();
      const { world, calls } = fleet;
      const during = async (ms: number) => {
        const before = calls.length;
        await world.moveTo(world.nowMs + ms);
        return calls.slice(before);
      };
      await during(minuteMs / 2);
      const quiet = await during(minuteMs);
      fleet.goAway();
      const away = await during((0.5 + fleet.random()) * minuteMs);
      fleet.comeBack();
      const back = await during(1.5 * minuteMs);
      const said = `seed ${seed}: ${JSON.stringify([quiet, away, back].map(fullest))}`;
      for (const [of, share] of [
        [quiet, 0.02],
        // A decision is waited for, so it is asked for again within a second at first; ADR 10.
        [away, 0.2],
        [back, 0.06],
      ] as const)
        for (const most of Object.values(fullest(of)))
          expect({ said, isSpread: most <= share * shuttles }).toEqual({ said, isSpread: true });
      for (const of of [quiet, back])
        expect([...new Set(of.map(({ call }) => call))].toSorted()).toEqual([
          "fetchDesired",
          "postCapacity",
          "postSnapshots",
          "postStatus",
        ]);
      await fleet.close();
    } finally {
      vi.restoreAllMocks();
    }
  },
);
