import { expect, test } from "vitest";
import { checkSchedule } from "./settings.ts";

test.each(["0 4 * * *", "*/10 1-5,20 1,15 JAN-jul mon-FRI", "0 0 ? * 7", " 5  3 * DEC WED "])(
  "the schedule %s is one on every runtime",
  (schedule) => expect(() => checkSchedule(schedule)).not.toThrow(),
);

test.each([
  ["0 4 * *", /write five fields/],
  ["0 4 L * *", /a field holds numbers, names such as MON/],
  ["0 4 * * MON#2", /a field holds numbers, names such as MON/],
  ["0 4 15W * *", /a field holds numbers, names such as MON/],
  ["0 4 * * 5L", /a field holds numbers, names such as MON/],
  ["60 4 * * *", /is not a schedule: /],
  ["0 4 ,, * *", /is not a schedule: /],
])("the schedule %s is refused with the way out", (schedule, words) =>
  expect(() => checkSchedule(schedule)).toThrow(words),
);
