import { expect, test } from "vitest";
import { isAnyWatched } from "./watch-paths.ts";

test.each<[patterns: string[], path: string, isWatched: boolean]>([
  [[], "anything", true],
  [["# only a comment", " "], "anything", true],
  [["apps/web/**"], "apps/web/src/index.ts", true],
  [["apps/web/**"], "apps/website/index.ts", false],
  [["apps/web"], "apps/web/src/index.ts", true],
  [["/apps/web/"], "apps/web/index.ts", true],
  [["./apps/web"], "apps/web/index.ts", true],
  [["apps/web/*"], "apps/web/src/index.ts", true],
  [["apps/*/src"], "apps/web/src/index.ts", true],
  [["apps/*/src"], "apps/web/lib/src/index.ts", false],
  [["package.json"], "apps/web/package.json", true],
  [["/package.json"], "apps/web/package.json", false],
  [["/package.json"], "package.json", true],
  [["docs/"], "a/docs/index.md", true],
  [["docs/"], "a/docs", false],
  [["*.ts"], "apps/web/index.ts", true],
  [["**/src/**"], "apps/web/src/index.ts", true],
  [["apps/web", "!*.md"], "apps/web/README.md", false],
  [["apps/web", "!*.md", "apps/web/CHANGES.md"], "apps/web/CHANGES.md", true],
  [["!*.md"], "apps/web/index.ts", true],
  [["!*.md"], "README.md", false],
  [["\\!important"], "!important", true],
  [["app/[slug]/page.tsx"], "app/[slug]/page.tsx", true],
])("%j and %s: %s", (patterns, path, isWatched) => {
  expect(isAnyWatched(patterns, [path])).toBe(isWatched);
});

test("one watched path among many is enough, and none of many is none", () => {
  expect(isAnyWatched(["apps/api"], ["README.md", "apps/api/main.go"])).toBe(true);
  expect(isAnyWatched(["apps/api"], ["README.md", "apps/web/index.ts"])).toBe(false);
});

test("a push of more than can be compared counts as watched, and is not compared", () => {
  const star = `${"*a".repeat(240)}b`;
  const paths = Array.from({ length: 2_000 }, () => "a".repeat(400));
  expect(isAnyWatched([star], paths)).toBe(true);
});
