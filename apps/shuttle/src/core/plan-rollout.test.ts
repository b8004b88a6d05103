import fc from "fast-check";
import { expect, test } from "vitest";
import { planRollout, type InstanceView } from "./plan-rollout.ts";

const one = (checksum: string, slot: number, state: InstanceView["state"]): InstanceView => ({
  id: `${checksum}${slot}`,
  slot,
  checksum,
  state,
});
const plan = (replicas: number, instances: InstanceView[], waits: Record<number, number> = {}) =>
  planRollout({
    target: { checksum: "new", replicas },
    instances,
    notBeforeMs: (slot) => waits[slot] ?? 0,
    nowMs: 1_000,
  });

test.each([
  ["starts all that are missing when nothing runs", 3, [], [0, 1, 2], []],
  ["starts the new one beside the old", 1, [one("old", 0, "ready")], [0], []],
  [
    "keeps the old one until the new one serves",
    1,
    [one("old", 0, "ready"), one("new", 0, "starting")],
    [],
    [],
  ],
  [
    "lets the old one go once the new one serves",
    1,
    [one("old", 0, "ready"), one("new", 0, "ready")],
    [],
    ["old0"],
  ],
  [
    "lets an old one that never served go at once",
    1,
    [one("older", 0, "starting"), one("old", 0, "ready")],
    [0],
    ["older0"],
  ],
  ["replaces two by surge of one", 2, [one("old", 0, "ready"), one("old", 1, "ready")], [0], []],
  [
    "scales down from the highest slot",
    1,
    [one("new", 0, "ready"), one("new", 1, "ready"), one("new", 2, "ready")],
    [],
    ["new1", "new2"],
  ],
  [
    "stops everything at nought",
    0,
    [one("new", 0, "ready"), one("old", 0, "ready"), one("new", 1, "starting")],
    [],
    ["new1", "old0", "new0"],
  ],
] as const)("%s", (_name, replicas, instances, start, retire) => {
  const seen = plan(replicas, [...instances]);
  expect(seen.start).toEqual(start);
  expect([...seen.retire].sort()).toEqual([...retire].sort());
});

test("a slot waits out its crash while the others start", () => {
  expect(plan(2, [], { 1: 5_000 })).toEqual({ start: [0], retire: [], againInMs: 4_000 });
});

test("nothing is known to be wanted: nothing is started and nothing goes", () => {
  expect(
    planRollout({ target: undefined, instances: [one("old", 0, "ready")], notBeforeMs: () => 0, nowMs: 0 }),
  ).toEqual({ start: [], retire: [], againInMs: undefined });
});

test("from any beginning a rollout ends with exactly what is wanted, and never serves with fewer than it could", () => {
  const instance = fc.record({
    slot: fc.nat(4),
    checksum: fc.constantFrom("new", "old", "older"),
    state: fc.constantFrom("starting" as const, "ready" as const),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.uniqueArray(instance, { maxLength: 8, selector: (i) => `${i.checksum}${i.slot}` }),
      (replicas, found) => {
        let instances: InstanceView[] = found.map((i, at) => ({ ...i, id: String(at) }));
        let next = 100;
        const served = () => instances.filter((i) => i.state === "ready").length;
        const floor = Math.min(replicas, served());
        for (let round = 0; round < 40; round++) {
          const { start, retire } = plan(replicas, instances);
          instances = instances.filter((i) => !retire.includes(i.id));
          expect(served()).toBeGreaterThanOrEqual(floor);
          instances.push(
            ...start.map((slot) => ({
              id: String(next++),
              slot,
              checksum: "new",
              state: "starting" as const,
            })),
          );
          const waiting = instances.findIndex((i) => i.state === "starting" && i.checksum === "new");
          if (waiting >= 0) instances[waiting] = { ...instances[waiting]!, state: "ready" };
        }
        expect(instances.map((i) => `${i.checksum} ${i.state}`)).toEqual(
          Array.from({ length: replicas }, () => "new ready"),
        );
        expect(new Set(instances.map((i) => i.slot)).size).toBe(replicas);
      },
    ),
  );
});
