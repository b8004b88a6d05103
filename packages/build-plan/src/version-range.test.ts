import { expect, test } from "vitest";
import { pickLine } from "./version-range.ts";

const lines = ["22", "24", "20", "18", "21"];

test.each([
  [">=22", "22"],
  [">=18", "22"],
  [">=22.5 <25", "22"],
  [">22", "24"],
  ["^24.1.0", "24"],
  ["<=20", "20"],
  ["<22", "20"],
  ["20 || 24", "24"],
  ["18 - 20", "20"],
  ["^18 || >=24", "24"],
  ["20.x", "20"],
  ["v22.3.1", "22.3.1"],
  ["22.3", "22.3"],
  ["~22.3.1", "22.3"],
  ["^26.0.0", "26.0"],
  ["", undefined],
  ["nonsense", undefined],
])("%s is served by %s", (range, line) => {
  expect(pickLine(range, lines)).toBe(line);
});

test.each([
  [">=3.10", "3.13"],
  [">=3.9,<3.12", "3.11"],
  ["~=3.10", "3.13"],
  ["^3.12", "3.13"],
  ["==3.11.*", "3.11"],
])("Python's %s is served by %s", (range, line) => {
  expect(pickLine(range, ["3.13", "3.12", "3.14", "3.11", "3.10"])).toBe(line);
});
