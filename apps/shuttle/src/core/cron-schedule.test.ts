import { expect, test } from "vitest";
import { dueRuns, scheduleFault } from "./cron-schedule.ts";

const at = (time: string) => new Date(`2026-11-29T${time}Z`);
const told = ({ runs, next }: ReturnType<typeof dueRuns>) => [
  runs.map((run) => [run.at.toISOString().slice(11, 19), run.isLate]),
  next?.toISOString().slice(11, 19),
];

test("a run is due at its time in UTC, and the next one is known", () => {
  expect(told(dueRuns("*/5 * * * *", at("08:00:00"), at("08:04:59")))).toEqual([[], "08:05:00"]);
  expect(told(dueRuns("*/5 * * * *", at("08:00:00"), at("08:05:00")))).toEqual([
    [["08:05:00", false]],
    "08:10:00",
  ]);
});

test("what was missed by more than a minute is late, and the last within a minute is not", () => {
  expect(told(dueRuns("*/5 * * * *", at("08:00:00"), at("08:15:30")))).toEqual([
    [
      ["08:05:00", true],
      ["08:10:00", true],
      ["08:15:00", false],
    ],
    "08:20:00",
  ]);
});

test("after a long absence the latest runs are told, and not thousands", () => {
  const { runs, next } = dueRuns("* * * * *", new Date("2026-01-01T00:00:00Z"), at("08:00:30"));
  expect(runs.length).toBe(20);
  expect(runs.filter((run) => !run.isLate).map((run) => run.at)).toEqual([at("08:00:00")]);
  expect(next).toEqual(at("08:01:00"));
});

test("a clock set back makes nothing due twice", () => {
  expect(told(dueRuns("* * * * *", at("08:10:00"), at("08:07:00")))).toEqual([[], "08:11:00"]);
});

test("a schedule that cannot be read, or never comes, is told in a sentence", () => {
  expect(scheduleFault("0 3 * * *")).toBeUndefined();
  expect(scheduleFault("every day")).toMatch(/cannot be read/);
  expect(scheduleFault("0 0 30 2 *")).toMatch(/never comes/);
  expect(scheduleFault(null)).toMatch(/needs a schedule/);
});
