import { expect, test } from "vitest";
import { matchesGlob } from "./matches-glob.ts";

test.each([
  ["*.go", "main.go", true],
  ["*.go", "cmd/main.go", false],
  ["**/go.mod", "go.mod", true],
  ["**/go.mod", "a/b/go.mod", true],
  ["packages/*/package.json", "packages/a/package.json", true],
  ["packages/*/package.json", "packages/a/b/package.json", false],
  ["packages/**/package.json", "packages/a/b/package.json", true],
  ["**/*.{ts,js}", "a/b.ts", true],
  ["**/*.{ts,js}", "a/b.tsx", false],
  ["{a,b}/{c,d}", "b/c", true],
  ["file?.txt", "file1.txt", true],
  ["file?.txt", "file.txt", false],
  ["**", "a/b/c", true],
  ["a/**/b/**/c", "a/x/b/b/y/c", true],
  ["*a*b", "xxaxxb", true],
  ["", "a", false],
  ["/a", "a", false],
])("%s on %s is %s", (pattern, path, matches) => {
  expect(matchesGlob(pattern)(path)).toBe(matches);
});
