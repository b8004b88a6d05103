import { matchesGlob } from "@starform/build-plan/matches-glob";

/** Which paths of a tree are left out, by the patterns of .dockerignore: anchored at the root, the last match wins. */
export type PathFilter = {
  isOut(path: string): boolean;
  /** Below this many names no pattern can decide anything new: such a folder is in or out as a whole. */
  readonly depthMax: number;
  /** Whether something inside of a folder that is out may be in. */
  readonly hasExceptions: boolean;
};

export function pathFilter(patterns: readonly string[]): PathFilter {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "" && !pattern.startsWith("#"))
    .map((pattern) => ({
      isBack: pattern.startsWith("!"),
      clean: pattern
        .replace(/^!/, "")
        .replace(/^(\.?\/)+/, "")
        .replace(/\/+$/, ""),
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
