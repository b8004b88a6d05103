import { expect, test } from "vitest";
import { pathFilter } from "./path-filter.ts";

test("a pattern made to be slow is not, and too many of them are refused with what to do", () => {
  expect(pathFilter([`a${"/".repeat(1_000_000)}b`]).isOut("a/b")).toBe(false);
  expect(pathFilter(["dist///"]).isOut("dist/app.js")).toBe(true);
  const slow = `*${"a*".repeat(200)}b*`;
  expect(pathFilter([slow]).isOut("a".repeat(255))).toBe(false);
  expect(() => pathFilter(Array.from({ length: 5_000 }, () => slow))).toThrow(
    "the patterns with wildcards in .dockerignore and railpack.json's exclude are together more than 64 KiB",
  );
});
