/**
 * A test for paths by a pattern: `*` and `?` within a name, `**` over folders, `{a,b}` either. No regular expression is
 * made from the pattern, so a hostile one (workspaces are user input) costs at most its length times the path's.
 */
export function matchesGlob(pattern: string): (path: string) => boolean {
  if (pattern.length > 512) return () => false;
  const alternatives = expand(pattern).map((alternative) => alternative.split("/"));
  const endings = [...new Set(alternatives.map(endingOf))];
  return (path) => {
    // Most paths of a large tree fit no pattern, and are told by their last letters.
    if (!endings.some((ending) => path.endsWith(ending))) return false;
    const names = path.split("/");
    return alternatives.some((parts) => matchesParts(parts, names));
  };
}

/** What a path that fits ends with, as far as the pattern says it in letters. */
const endingOf = (parts: readonly string[]): string => /[^*?]*$/.exec(parts.at(-1)!)![0];

const alternativesMax = 32;

function expand(pattern: string): string[] {
  const group = /\{([^{}]*)\}/.exec(pattern);
  if (!group) return [pattern];
  const [before, after] = [pattern.slice(0, group.index), pattern.slice(group.index + group[0].length)];
  const choices = group[1]!.split(",").slice(0, alternativesMax);
  const rest = expand(after);
  return choices.flatMap((choice) => rest.map((end) => before + choice + end)).slice(0, alternativesMax);
}

/** Greedy with one point to come back to, for both kinds of star: linear in practice, quadratic at worst. */
function matchesParts(parts: readonly string[], names: readonly string[]): boolean {
  let [at, name, starAt, starName] = [0, 0, -1, 0];
  while (name < names.length) {
    const part = parts[at];
    if (part === "**") [starAt, starName, at] = [at, name, at + 1];
    else if (part !== undefined && matchesName(part, names[name]!)) [at, name] = [at + 1, name + 1];
    else if (starAt >= 0) [at, starName, name] = [starAt + 1, starName + 1, starName + 1];
    else return false;
  }
  while (parts[at] === "**") at++;
  return at === parts.length;
}

function matchesName(part: string, name: string): boolean {
  let [at, letter, starAt, starLetter] = [0, 0, -1, 0];
  while (letter < name.length) {
    if (part[at] === "*") [starAt, starLetter, at] = [at, letter, at + 1];
    else if (at < part.length && (part[at] === name[letter] || part[at] === "?"))
      [at, letter] = [at + 1, letter + 1];
    else if (starAt >= 0) [at, starLetter, letter] = [starAt + 1, starLetter + 1, starLetter + 1];
    else return false;
  }
  while (part[at] === "*") at++;
  return at === part.length;
}
