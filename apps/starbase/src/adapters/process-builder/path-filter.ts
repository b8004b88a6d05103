import { matchesGlob } from "@starform/build-plan/matches-glob";
import { sayBytes } from "./build-limits.ts";
import { stop } from "./build-stopped.ts";

/** Which paths of a tree are left out, by the patterns of .dockerignore: anchored at the root, the last match wins. */
export type PathFilter = {
  isOut(path: string): boolean;
  /** Below this many names no pattern can decide anything new: such a folder is in or out as a whole. */
  readonly depthMax: number;
  /** Whether something inside of a folder that is out may be in. */
  readonly hasExceptions: boolean;
};

/** Each name of a tree is compared with all of them, and both are their owner's. */
const wildLettersMax = 64 * 1024;

export function pathFilter(patterns: readonly string[]): PathFilter {
  const wild = patterns.filter((pattern) => /[*?{]/.test(pattern));
  if (wild.reduce((sum, { length }) => sum + length, 0) > wildLettersMax)
    stop(
      `the patterns with wildcards in .dockerignore and railpack.json's exclude are together more than ${sayBytes(wildLettersMax)}: make them fewer`,
    );
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "" && !pattern.startsWith("#"))
    .map((pattern) => ({
      isBack: pattern.startsWith("!"),
      clean: withoutStrokes(pattern.replace(/^!/, "").replace(/^(\.?\/)+/, "")),
    }))
    .filter(({ clean }) => clean !== "")
    .map(({ isBack, clean }) => ({ isBack, matches: matchesGlob(clean), parts: clean.split("/") }));
  return {
    isOut(path) {
      const names = path.split("/");
      const parents = names.map((_, i) => names.slice(0, i + 1).join("/"));
      let isOut = false;
      for (const rule of rules) if (parents.some((parent) => rule.matches(parent))) isOut = !rule.isBack;
      return isOut;
    },
    depthMax: rules.reduce(
      (most, { parts }) => Math.max(most, parts.includes("**") ? Infinity : parts.length),
      0,
    ),
    hasExceptions: rules.some(({ isBack }) => isBack),
  };
}

/** By hand: an expression for strokes at the end begins anew at each stroke of a line that is nothing else. */
function withoutStrokes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end -= 1;
  return text.slice(0, end);
}
