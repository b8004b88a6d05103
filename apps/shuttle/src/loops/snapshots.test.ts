import { randomUUID } from "node:crypto";
import { Fault } from "@starform/std/fault";
import { expect, test } from "vitest";
import { aPod } from "../../test/running-pod.ts";
import { simulatedTime } from "../../test/simulated-time.ts";
import { memorySnapshotLog } from "../adapters/memory/snapshot-log.ts";
import { snapshotLoop } from "./snapshots.ts";

const minuteMs = 60_000;
const startMs = Date.parse("2026-11-29T08:00:00Z");
const pod = aPod({ startedAtMs: startMs - minuteMs });

test("every minute is taken once, though Starbase takes longer for what an outage kept back than the outage was", async () => {
  const world = simulatedTime(startMs);
  const taken: number[] = [];
  let isAway = true;
  const loop = snapshotLoop(
    {
      starbase: {
        async postSnapshots(snapshots) {
          if (isAway) throw new Fault("unavailable", "Starbase is away");
          await world.time.pause(100_000);
          taken.push(...snapshots.map(({ snapshot_timestamp: at }) => Date.parse(at)));
          return [];
        },
      },
      cluster: { runningPods: async () => [pod] },
      clusterId: randomUUID(),
      log: { ...memorySnapshotLog(() => undefined), writtenThrough: () => new Date(startMs - minuteMs) },
      sent: () => undefined,
      failed: () => undefined,
      warn: () => undefined,
      time: world.time,
    },
    minuteMs,
  );
  await world.moveTo(startMs + 10 * minuteMs);
  isAway = false;
  await world.moveTo(startMs + 60 * minuteMs);
  const closing = loop[Symbol.asyncDispose]();
  await world.moveTo(startMs + 65 * minuteMs);
  await closing;
  const [first, last] = [taken[0]!, taken.at(-1)!];
  expect(last).toBeGreaterThan(startMs + 12 * minuteMs);
  expect(taken).toEqual(
    Array.from({ length: (last - first) / minuteMs + 1 }, (_, at) => first + at * minuteMs),
  );
});
