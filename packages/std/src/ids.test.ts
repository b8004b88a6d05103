import { expect, test } from "vitest";
import { isUuid, uuid } from "./ids.ts";

test("ids sort as they were made, those of one millisecond too", () => {
  const ids = [...Array.from({ length: 500 }, () => uuid(1_000)), uuid(1_001), uuid(2_000)];
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every(isUuid)).toBe(true);
});
