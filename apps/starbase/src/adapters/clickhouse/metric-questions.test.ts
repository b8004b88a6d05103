import { expect, test } from "vitest";
import { quantile } from "./metric-questions.ts";

test.each<[string, number, Record<string, number>, number | undefined]>([
  ["spreads a bucket's requests evenly over it", 0.5, { "10": 0, "20": 10, "+Inf": 10 }, 15],
  ["begins at nought", 0.5, { "10": 10, "+Inf": 10 }, 5],
  ["knows no more of the last bucket than where it begins", 0.99, { "10": 1, "+Inf": 10 }, 10],
  ["has no answer without requests", 0.5, { "10": 0, "+Inf": 0 }, undefined],
  ["has no answer without the bucket of all", 0.5, { "10": 3 }, undefined],
])("%s", (_case, share, parts, value) => {
  expect(quantile(share, new Map(Object.entries(parts)))).toBe(value);
});
