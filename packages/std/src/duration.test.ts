import { expect, test } from "vitest";
import { sayAbout } from "./duration.ts";

test.each([
  [0, "about 1 s"],
  [4_400, "about 4 s"],
  [41_000, "about 40 s"],
  [57_900, "about 1 min"],
  [59_000, "about 1 min"],
  [155_000, "about 3 min"],
  [3_580_000, "about 1 h"],
])("%i ms is %s", (ms, said) => {
  expect(sayAbout(ms)).toBe(said);
});
