import { expect, test } from "vitest";
import { slugFrom } from "./slug-from.ts";

test("a name becomes what can stand in an address", () => {
  expect(
    ["My Shop 2", "  Café—Müller ", "--a--", "日本", "x".repeat(80)].map((name) => slugFrom(name)),
  ).toEqual(["my-shop-2", "cafe-muller", "a", "", "x".repeat(63)]);
});
