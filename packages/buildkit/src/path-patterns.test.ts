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

  // Tried in every way, each of these takes longer than there is time.
  test.each([
    "**a".repeat(40) + "**b",
    "*a".repeat(40) + "*b",
    "**/".repeat(40) + "b",
    "?*".repeat(40) + "b*c",
    "[a]**".repeat(40) + "b",
  ])("%s is told of a long path as of any", (pattern) => {
    const patterns = pathPatterns([pattern, `!${pattern}`]);
    for (const path of ["a".repeat(4_000), "a/".repeat(1_000) + "a"]) {
      expect(patterns.matches(path)).toBe(false);
      expect(patterns.mayMatchBelow(path)).toBeTypeOf("boolean");
    }
  });

  test("more patterns than a tree can be compared with, and what is no pattern, are refused with what to do", () => {
    expect(() => pathPatterns(Array.from({ length: 5_000 }, () => "**/aaaaaaaaaaaaa*"))).toThrow(
      "more than 64 KB of those with wildcards: make the ignore file shorter",
    );
    expect(() => pathPatterns(Array.from({ length: 20_001 }, () => "a"))).toThrow("more than 20000 patterns");
    expect(() => pathPatterns(["a".repeat(5_000)])).toThrow("has more than 4096 letters (aaaa");
    expect(() => pathPatterns(["a[z-a]"])).toThrow(
      '"a[z-a]" is no pattern of a .dockerignore: the range in [z-a] runs backwards',
    );
  });
});
