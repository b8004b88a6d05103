import { matchesGlob } from "@starform/build-plan/matches-glob";

/** Letters of paths times letters of patterns: what a push may cost, about a second at the very worst. */
const workMax = 300_000_000;

/**
 * Whether one of the paths is watched. The patterns are like those of .gitignore, from the repository's root: one
 * without a slash matches at any depth, one that names a folder all that is in it, `!` takes away again, and the last
 * one that matches decides. A list that begins with `!` begins with everything. No patterns watch everything, and so do
 * more of them than can be compared in time: to deploy is the mistake that can be mended.
 */
export function isAnyWatched(patterns: readonly string[], paths: readonly string[]): boolean {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (rules.length === 0 || lettersOf(rules) * lettersOf(paths) > workMax) return true;
  const matchers = rules.map(toMatcher);
  return paths.some((path) =>
    matchers.reduce(
      (isWatched, { isTaken, matches }) => (isTaken !== isWatched && matches(path) ? isTaken : isWatched),
      !matchers[0]!.isTaken,
    ),
  );
}

const lettersOf = (texts: readonly string[]): number =>
  texts.reduce((letters, text) => letters + text.length, 0);

function toMatcher(rule: string): { isTaken: boolean; matches: (path: string) => boolean } {
  const isTaken = !rule.startsWith("!");
  const said = rule.replace(/^!/, "").replace(/^\\(?=[!#])/, "");
  const inside = said.endsWith("/") ? "*/**" : "**";
  const name = said.replace(/^\.?\//, "").replace(/\/$/, "");
  const isAnchored = /^\.?\//.test(said) || name.includes("/");
  return { isTaken, matches: matchesGlob(`${isAnchored ? "" : "**/"}${name}/${inside}`) };
}
