import { expect, test } from "vitest";
import { aPod } from "../../../test/running-pod.ts";
import { snapshotsOf } from "../../core/snapshots.ts";
import { memorySnapshotLog } from "./snapshot-log.ts";

const minute = (at: number) => new Date(at * 60_000);
const batch = (at: number, ...pods: string[]) =>
  snapshotsOf(
    pods.map((podId) => aPod({ podId })),
    minute(at),
  );

test("what was not taken comes back whole and in its order, ids and all; what comes later of a tick waits beside it", () => {
  const log = memorySnapshotLog(() => undefined);
  log.append(batch(1, "a", "b"), minute(1));
  log.append(batch(2, "a"), minute(2));
  log.append(batch(2, "a", "c"), minute(2));
  const first = log.oldest()!;
  expect(first.snapshots).toEqual(batch(1, "a", "b"));
  log.taken(first.name);
  const second = log.oldest()!;
  expect(second.snapshots).toEqual(batch(2, "a"));
  log.append(batch(2, "d"), minute(2));
  log.taken(second.name);
  expect(log.oldest()!.snapshots).toEqual(batch(2, "a", "c"));
  log.taken(log.oldest()!.name);
  expect(log.oldest()!.snapshots).toEqual(batch(2, "d"));
  log.refused(log.oldest()!.name);
  expect(log.oldest()).toBeUndefined();
});

test("keeps to its bound by giving up the oldest, and says so", () => {
  const said: string[] = [];
  const log = memorySnapshotLog((sentence) => void said.push(sentence), 2_000);
  for (let at = 0; at < 30; at++) log.append(batch(at, "a", "b"), minute(at));
  const left: string[] = [];
  for (let oldest = log.oldest(); oldest; oldest = log.oldest()) {
    left.push(oldest.name);
    log.taken(oldest.name);
  }
  expect(left.length).toBeGreaterThan(1);
  expect(left.length + said.length).toBe(30);
  expect(left.at(-1)).toContain(minute(29).toISOString());
  expect(said[0]).toMatch(/1970-01-01T00:00:00.000Z was not taken/);
});

test("an hour of a thousand pods fits with room to spare", () => {
  const said: string[] = [];
  const log = memorySnapshotLog((sentence) => void said.push(sentence));
  const names = Array.from({ length: 1_000 }, (_, at) => `svc-0123456789abcdef-production-5d8f7c9b6d-${at}`);
  for (let at = 0; at < 60; at++) log.append(batch(at, ...names), minute(at));
  expect(said).toEqual([]);
  expect(log.oldest()!.snapshots.length).toBe(1_000);
});
