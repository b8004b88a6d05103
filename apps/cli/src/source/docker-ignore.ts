/** Docker's ignore rules, which are not Git's: patterns start at the root, and the last that matches wins even inside an ignored folder. */
export type DockerIgnore = {
  ignores(path: string): boolean;
  /** Whether a later rule may take something back from an ignored folder, so that it must still be looked into. */
  readonly takesBack: boolean;
};

/** What a build needs in any case, as Docker itself keeps it. */
const kept = new Set(["Dockerfile", ".dockerignore", "starform.json", "Procfile", "railpack.json"]);

export function dockerIgnore(text: string): DockerIgnore {
  const rules = text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const isNegated = line.startsWith("!");
      const pattern = line
        .slice(isNegated ? 1 : 0)
        .trim()
        .replace(/^\.?\/+/, "")
        .replace(/\/+$/, "");
      return { isNegated, matches: pattern === "" || pattern === "." ? undefined : globOf(pattern) };
    });
  return {
    takesBack: rules.some(({ isNegated }) => isNegated),
    ignores(path) {
      if (kept.has(path)) return false;
      let isIgnored = false;
      for (const { isNegated, matches } of rules) if (matches?.test(path)) isIgnored = !isNegated;
      return isIgnored;
    },
  };
}

/** A path or anything under it. */
function globOf(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (pattern.startsWith("**/", at)) [source, at] = [`${source}(?:.*/)?`, at + 2];
    else if (pattern.startsWith("**", at)) [source, at] = [`${source}.*`, at + 1];
    else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[" && pattern.includes("]", at)) {
      const end = pattern.indexOf("]", at);
      source += `[${pattern
        .slice(at + 1, end)
        .replaceAll("\\", "\\\\")
        .replace(/^!/, "^")}]`;
      at = end;
    } else if (char === "\\" && at + 1 < pattern.length) source += escaped(pattern[++at]!);
    else source += escaped(char);
  }
  return new RegExp(`^${source}(?:/|$)`, "s");
}

const escaped = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
