import { expect, test } from "vitest";
import { afterCrash, type Crashes } from "./crash-backoff.ts";

test("the pause doubles from one second to one minute, and begins anew after a minute of health", () => {
  const waits: number[] = [];
  let crashes: Crashes | undefined;
  for (let round = 0; round < 9; round++) waits.push((crashes = afterCrash(crashes, 0, 0)).notBeforeMs);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(afterCrash(crashes, 59_999, 0).count).toBe(10);
  expect(afterCrash(crashes, 60_000, 0)).toEqual({ count: 1, notBeforeMs: 1_000 });
});
