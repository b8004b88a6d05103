import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import fc from "fast-check";
import { expect, test } from "vitest";
import { aPod } from "../../test/running-pod.ts";
import { seeded, simulatedTime } from "../../test/simulated-time.ts";
import { fileSnapshotLog } from "../adapters/disk/snapshot-log.ts";
import { memorySnapshotLog } from "../adapters/memory/snapshot-log.ts";
import type { SnapshotLog, Starbase } from "../core/ports.ts";
import { snapshotLoop } from "./snapshots.ts";

const minuteMs = 60_000;
const startMs = Date.parse("2026-11-29T08:00:00Z");
const endMs = startMs + 60 * minuteMs;
const clusterId = randomUUID();

type Life = { readonly podId: string; readonly fromMs: number; readonly toMs: number };
const entry = (podId: string, tickMs: number) => `${podId} ${new Date(tickMs).toISOString()}`;
/** Minute by minute, the pods that really ran on it. */
const truthOf = (
  lives: readonly Life[],
): { readonly podId: string; readonly tickMs: number; readonly life: Life }[] =>
  lives.flatMap((life) => {
    const first = Math.ceil(life.fromMs / minuteMs) * minuteMs;
    const count = Math.max(0, Math.ceil((Math.min(life.toMs, endMs + 1) - first) / minuteMs));
    return Array.from({ length: count }, (_, at) => ({
      podId: life.podId,
      tickMs: first + at * minuteMs,
      life,
    }));
  });

/** An hour of pods that come and go, with a Starbase that counts as the real one does: an id once. */
function openHour(seed: number) {
  const random = seeded(seed);
  const between = (from: number, to: number): number => Math.floor(from + random() * (to - from));
  const world = simulatedTime(startMs - 5 * minuteMs);
  const lives = Array.from({ length: 40 }, (_, at): Life => {
    const fromMs = between(startMs - 4 * minuteMs, endMs);
    return {
      podId: `web-${at}`,
      fromMs,
      toMs: fromMs + between(5_000, random() < 0.5 ? 4 * minuteMs : 90 * minuteMs),
    };
  });
  const counted = new Map<string, string>();
  const looks: number[] = [];
  const starbase = { isAway: false };
  const postSnapshots: Starbase["postSnapshots"] = async (snapshots) => {
    await world.time.pause(between(5, random() < 0.1 ? 90_000 : 500));
    if (starbase.isAway) throw new Fault("unavailable", "Starbase is away");
    for (const one of snapshots)
      counted.set(one.snapshot_id, entry(one.pod_id, Date.parse(one.snapshot_timestamp)));
    if (random() < 0.05) throw new Fault("unavailable", "the answer was lost");
    return [];
  };
  const openShuttle = (log: SnapshotLog): AsyncDisposable =>
    snapshotLoop(
      {
        starbase: { postSnapshots },
        cluster: {
          async runningPods() {
            const nowMs = world.nowMs;
            looks.push(nowMs);
            return lives
              .filter(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
              .map(({ podId, fromMs }) => aPod({ podId, startedAtMs: fromMs }));
          },
        },
        clusterId,
        log,
        sent: () => undefined,
        failed: () => undefined,
        warn: () => undefined,
        time: world.time,
      },
      minuteMs,
    );
  const close = async (shuttle: AsyncDisposable): Promise<void> => {
    const state = { isClosed: false };
    const closing = Promise.resolve(shuttle[Symbol.asyncDispose]()).then(() => (state.isClosed = true));
    while (!state.isClosed) await world.moveTo(world.nowMs + 1_000);
    await closing;
  };
  return { world, lives, counted, looks, starbase, random, between, openShuttle, close };
}

test(
  "what Starbase counted over an hour of restarts and outages is the truth, pod by pod and minute by minute",
  { timeout: 300_000 },
  async () => {
    const checked = { minutes: 0, missed: 0, restarts: 0 };
    const anHour = fc.asyncProperty(fc.nat({ max: 2 ** 31 }), async (seed) => {
      const dir = mkdtempSync(join(tmpdir(), "starform-metering-"));
      try {
        const hour = openHour(seed);
        const { world, between, looks, starbase } = hour;
        const open = () => hour.openShuttle(fileSnapshotLog(dir, () => undefined));
        let shuttle = open();
        while (world.nowMs < endMs) {
          await world.moveTo(world.nowMs + between(1_000, 12 * minuteMs));
          const chance = hour.random();
          if (chance < 0.4) starbase.isAway = !starbase.isAway;
          else {
            checked.restarts += 1;
            await hour.close(shuttle);
            await world.moveTo(world.nowMs + between(0, 4 * minuteMs));
            shuttle = open();
          }
        }
        starbase.isAway = false;
        await world.moveTo(Math.max(world.nowMs, endMs) + 15 * minuteMs);
        await hour.close(shuttle);

        const truth = truthOf(hour.lives);
        // A pod that went before any Shuttle looked again has left nothing to be known by.
        const knowable = truth.filter(({ tickMs, life }) =>
          looks.some((lookMs) => lookMs >= tickMs && lookMs < life.toMs),
        );
        const counted = [...hour.counted.values()].filter((one) => Date.parse(one.split(" ")[1]!) <= endMs);
        expect(counted.toSorted()).toEqual(
          knowable.map(({ podId, tickMs }) => entry(podId, tickMs)).toSorted(),
        );
        checked.minutes += counted.length;
        checked.missed += truth.length - knowable.length;
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
    await fc.assert(anHour, { numRuns: 8 });
    // What it looked at is no empty hour, and nearly all of it was there to be known.
    expect(checked.minutes).toBeGreaterThan(2_000);
    expect(checked.restarts).toBeGreaterThan(8);
    expect(checked.missed / checked.minutes).toBeLessThan(0.05);
  },
);

test("a Shuttle without a volume that is stopped sends what it has, and makes up for minutes without it", async () => {
  const hour = openHour(1);
  const { world } = hour;
  await world.moveTo(startMs);
  const first = hour.openShuttle(memorySnapshotLog(() => undefined));
  await world.moveTo(startMs + 10 * minuteMs + 100);
  await hour.close(first);
  const until = (ms: number) =>
    [...hour.counted.values()].filter((one) => Date.parse(one.split(" ")[1]!) <= ms);
  const truth = truthOf(hour.lives).filter(({ tickMs }) => tickMs >= startMs);
  const before = truth.filter(({ tickMs }) => tickMs <= startMs + 10 * minuteMs);
  expect(until(endMs)).toEqual(
    expect.arrayContaining(before.map(({ podId, tickMs }) => entry(podId, tickMs))),
  );
  await world.moveTo(startMs + 15 * minuteMs);
  const second = hour.openShuttle(memorySnapshotLog(() => undefined));
  await world.moveTo(startMs + 25 * minuteMs);
  await hour.close(second);
  const stayed = truth.filter(
    ({ tickMs, life }) => tickMs <= startMs + 24 * minuteMs && life.toMs > startMs + 15 * minuteMs,
  );
  expect(stayed.length).toBeGreaterThan(50);
  expect([...hour.counted.values()]).toEqual(
    expect.arrayContaining(
      stayed
        .filter(({ tickMs, life }) => hour.looks.some((lookMs) => lookMs >= tickMs && lookMs < life.toMs))
        .map(({ podId, tickMs }) => entry(podId, tickMs)),
    ),
  );
});
