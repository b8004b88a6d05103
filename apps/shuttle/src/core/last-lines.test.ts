import { lastLineMax } from "@starform/contract/clusters";
import { expect, test } from "vitest";
import { lastLinesOf } from "./last-lines.ts";
import { shorten } from "./shorten.ts";

test("a line that is cut within a character, or has NUL in it, can be kept", () => {
  const [cut, nul, ...more] = lastLinesOf(["x".repeat(lastLineMax - 1) + "🚀🚀", "a\0b\0 ", "\0"]);
  expect([cut, nul, more]).toEqual(["x".repeat(lastLineMax - 1) + "\ufffd", "ab", []]);
});

test("a text that is shortened within a character, or has NUL in it, can be kept", () => {
  expect(shorten(` a\0 ${"x".repeat(16)}🚀🚀`, 20)).toBe(`a ${"x".repeat(16)}\ufffd…`);
  expect(shorten("\ud83d")).toBe("\ufffd");
});
