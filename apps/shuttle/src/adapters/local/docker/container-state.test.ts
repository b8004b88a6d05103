import { expect, test } from "vitest";
import { endedWithEngine, type Inspected } from "./container-state.ts";

const finishedAt = "2026-01-01T00:00:10.000Z";
const ended = (ExitCode: number, { isOom = false, isRun = false } = {}) =>
  ({
    State: { ExitCode, OOMKilled: isOom, FinishedAt: finishedAt },
    Config: { Labels: isRun ? { "starform.io/run-id": "r" } : {} },
  }) as unknown as Inspected;
const at = (seconds: number): number => Date.parse(finishedAt) + (seconds - 10) * 1_000;

test.each<[string, Inspected, number | undefined, boolean]>([
  ["killed while nobody looked", ended(137), undefined, true],
  ["ended as told while nobody looked", ended(0), undefined, true],
  ["failed while Shuttle was away", ended(1), undefined, false],
  ["failed before the engine went", ended(1), at(20), false],
  ["failed as the engine went", ended(1), at(9), true],
  ["out of memory as the engine went", ended(137, { isOom: true }), at(9), false],
  ["a cron's run that succeeded", ended(0, { isRun: true }), at(9), false],
  ["a cron's run that the engine took along", ended(143, { isRun: true }), at(9), true],
])("%s", (_case, seen, awaySinceMs, isLost) => {
  expect(endedWithEngine(seen, awaySinceMs)).toBe(isLost);
});
