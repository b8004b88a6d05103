import { expect, test } from "vitest";
import { phaseOf, type PhaseInput } from "./phase.ts";

const input: PhaseInput = {
  replicas: 2,
  ready: 2,
  readyOthers: 0,
  isProven: true,
  hasFailed: false,
  crashed: 0,
};

test.each([
  ["running", {}],
  ["stopped", { replicas: 0, ready: 0 }],
  ["starting", { ready: 0, isProven: false }],
  ["starting", { ready: 1, isProven: false, readyOthers: 2 }],
  ["starting", { ready: 1 }],
  ["degraded", { ready: 1, crashed: 1 }],
  ["crashed", { ready: 0, crashed: 2 }],
  ["failed", { ready: 0, readyOthers: 2, hasFailed: true }],
] as const)("%s: %j", (phase, own) => {
  expect(phaseOf({ ...input, ...own })).toBe(phase);
});
