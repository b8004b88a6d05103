import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { workQueue } from "./work-queue.ts";

test("a key never runs twice at once, and one added while it runs runs again", async () => {
  let [running, most, runs] = [0, 0, 0];
  const gates: (() => void)[] = [];
  await using queue = workQueue({
    reconcile: async () => {
      runs += 1;
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => gates.push(resolve));
      running -= 1;
      return undefined;
    },
    failed: () => undefined,
  });
  for (let time = 0; time < 5; time++) queue.add("a");
  await until("it runs", () => gates.length === 1);
  for (let time = 0; time < 5; time++) queue.add("a");
  gates[0]!();
  await until("it runs once more", () => gates.length === 2);
  gates[1]!();
  await until("it is idle", () => running === 0);
  expect([most, runs]).toEqual([1, 2]);
});

test("a key that fails is tried again later and holds up no other", async () => {
  const done: string[] = [];
  let tries = 0;
  await using queue = workQueue({
    reconcile: async (key) => {
      if (key === "bad" && ++tries < 3) throw new Error("no");
      done.push(key);
      return undefined;
    },
    failed: () => undefined,
    backoff: { firstMs: 10, maxMs: 20 },
  });
  queue.add("bad");
  queue.add("good");
  await until("both are done", () => done.length === 2);
  expect(done).toEqual(["good", "bad"]);
});

test("a key that asks to be looked at again is, and an addition comes before", async () => {
  let runs = 0;
  await using queue = workQueue({
    reconcile: async () => (++runs < 3 ? { inMs: runs === 1 ? 5 : 100_000 } : undefined),
    failed: () => undefined,
  });
  queue.add("a");
  await until("the second look", () => runs === 2);
  queue.add("a");
  await until("the third look", () => runs === 3);
});
