import { describe, expect, test } from "vitest";
import { pathPatterns, readPatterns } from "./path-patterns.ts";

describe("path patterns", () => {
  test.each([
    ["node_modules", "node_modules/a/b.js", true],
    ["node_modules", "web/node_modules", false],
    ["**/node_modules", "web/node_modules/x", true],
    ["**/node_modules", "node_modules", true],
    ["/dist/", "dist/index.html", true],
    ["*.log", "a.log", true],
    ["*.log", "logs/a.log", false],
    ["**/*.log", "logs/deep/a.log", true],
    ["docs/**", "docs/a/b", true],
    ["docs/**", "docs", false],
    ["file?.txt", "file1.txt", true],
    ["file[0-9].txt", "file5.txt", true],
    ["file[^0-9].txt", "file5.txt", false],
    ["a.c", "abc", false],
    ["a\\*b", "a*b", true],
    [".", "anything", false],
  ])("%s matches %s: %s", (pattern, path, expected) => {
    expect(pathPatterns([pattern]).matches(path)).toBe(expected);
  });

  test("the last pattern that matches decides", () => {
    const patterns = pathPatterns(["*", "!keep", "keep/secret"]);
    expect(["other", "keep/file", "keep/secret/x"].map((path) => patterns.matches(path))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("an excluded folder is entered only where something in it may be taken back", () => {
    const patterns = pathPatterns(["vendor", "!vendor/ours/*.js"]);
    expect(["vendor", "vendor/ours", "vendor/theirs"].map((dir) => patterns.mayMatchBelow(dir))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("reads the lines of a file without comments and marks", () => {
    expect(readPatterns("\uFEFF# note\r\n\r\n  a \r\n!b\n")).toEqual(["a", "!b"]);
  });
});
