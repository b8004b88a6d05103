import { isWild, pathPattern } from "./path-pattern.ts";

/** Answers for one pattern list, in the syntax of .dockerignore: `**`, `*`, `?`, `[a-z]`, `!` to take back. */
export type PathPatterns = {
  /** Whether the last pattern that matches the path, or a folder above it, is not taken back. */
  matches(path: string): boolean;
  /** Whether something below this folder may match (for `!`: may be taken back). */
  mayMatchBelow(dir: string): boolean;
  readonly isEmpty: boolean;
};

type Pattern = { readonly negated: boolean; readonly whole: Test; readonly parts: readonly Part[] };
type Part = { readonly text: string; readonly fits: Test };
type Test = (path: string) => boolean;

export function pathPatterns(list: readonly string[]): PathPatterns {
  const wildLetters = list.reduce((sum, text) => sum + (isWild(text) ? text.length : 0), 0);
  if (list.length > patternsMax || wildLetters > wildLettersMax)
    throw new Error(
      `what a build takes and leaves out is more than ${patternsMax} patterns, or more than ${wildLettersMax / 1024} KB of those with wildcards: make the ignore file shorter`,
    );
  const patterns = list.flatMap(parse);
  const negated = patterns.filter((pattern) => pattern.negated);
  const reachable = negated.length > 0 ? negated : patterns;
  return {
    isEmpty: patterns.length === 0,
    matches: (path) => {
      const candidates = [path, ...foldersAbove(path)];
      let matched = false;
      for (const { negated: back, whole } of patterns)
        if (matched === back && candidates.some(whole)) matched = !back;
      return matched;
    },
    mayMatchBelow: (dir) => reachable.some(({ parts }) => reaches(parts, dir.split("/"))),
  };
}

/** A tree's owner says what each of its names is compared with; those that mean one path alone cost next to nothing. */
const [patternsMax, wildLettersMax] = [20_000, 64 * 1024];

/** The patterns of a .dockerignore file's text: comments and empty lines dropped. */
export const readPatterns = (text: string): string[] =>
  text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "");

function parse(line: string): Pattern[] {
  const negated = line.startsWith("!");
  const parts = (negated ? line.slice(1) : line)
    .trim()
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.length === 0) return [];
  return [
    {
      negated,
      whole: pathPattern(parts.join("/")),
      parts: parts.map((text) => ({ text, fits: pathPattern(text) })),
    },
  ];
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at));
  return folders;
}

/** Whether the folder lies on the way to what the parts name. */
function reaches(parts: readonly Part[], folders: readonly string[]): boolean {
  for (const [at, folder] of folders.entries()) {
    const part = parts[at];
    if (part === undefined) return false;
    if (part.text.includes("**")) return true;
    if (!part.fits(folder)) return false;
  }
  return parts.length > folders.length;
}
