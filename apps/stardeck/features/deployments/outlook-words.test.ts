import { expect, test } from "vitest";
import { sayEstimate, sayInLine } from "./outlook-words.ts";

test.each([
  [{ position: 1, of: 3, waitsFor: "turn", atOnceMax: 2, beginsInMs: null }, "Next in line for a builder"],
  [{ position: 3, of: 3, waitsFor: "turn", atOnceMax: 2, beginsInMs: null }, "3 of 3 in line for a builder"],
  [
    { position: 2, of: 9, waitsFor: "workspace", atOnceMax: 1, beginsInMs: null },
    "2 of 9 in line for a builder: the workspace runs one build at once",
  ],
  [
    { position: 1, of: 1, waitsFor: "service", atOnceMax: 2, beginsInMs: null },
    "Begins after the build of this service that runs",
  ],
  [
    { position: 1, of: 2, waitsFor: "turn", atOnceMax: 2, beginsInMs: 41_000 },
    "Next in line for a builder, begins in about 40 s",
  ],
  [{ position: 1, of: 1, waitsFor: "turn", atOnceMax: 2, beginsInMs: 0 }, "Next in line for a builder"],
  [
    { position: 2, of: 9, waitsFor: "workspace", atOnceMax: 1, beginsInMs: 190_000 },
    "2 of 9 in line for a builder, begins in about 3 min: the workspace runs one build at once",
  ],
  [
    { position: 1, of: 1, waitsFor: "service", atOnceMax: 2, beginsInMs: 12_000 },
    "After the build of this service that runs, begins in about 10 s",
  ],
] as const)("says where %j stands", (inLine, words) => {
  expect(sayInLine(inLine)).toBe(words);
});

test("says what a build takes only where builds tell it", () => {
  expect(sayEstimate(null)).toBeUndefined();
  expect(sayEstimate({ durationMs: 41_000, basis: "service", builds: 9 })).toBe(
    "Usually built in about 40 s",
  );
  expect(sayEstimate({ durationMs: 3_000, basis: "workspace", builds: 1 })).toBe(
    "Other services here are usually built in about 3 s",
  );
});
