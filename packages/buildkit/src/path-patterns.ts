/** Answers for one pattern list, in the syntax of .dockerignore: `**`, `*`, `?`, `[a-z]`, `!` to take back. */
export type PathPatterns = {
  /** Whether the last pattern that matches the path, or a folder above it, is not taken back. */
  matches(path: string): boolean;
  /** Whether something below this folder may match (for `!`: may be taken back). */
  mayMatchBelow(dir: string): boolean;
  readonly isEmpty: boolean;
};

type Pattern = { readonly negated: boolean; readonly whole: RegExp; readonly parts: readonly string[] };

export function pathPatterns(list: readonly string[]): PathPatterns {
  const patterns = list.flatMap(parse);
  const negated = patterns.filter((pattern) => pattern.negated);
  const reachable = negated.length > 0 ? negated : patterns;
  return {
    isEmpty: patterns.length === 0,
    matches: (path) => {
      const candidates = [path, ...foldersAbove(path)];
      let matched = false;
      for (const { negated: back, whole } of patterns)
        if (matched === back && candidates.some((candidate) => whole.test(candidate))) matched = !back;
      return matched;
    },
    mayMatchBelow: (dir) => reachable.some(({ parts }) => reaches(parts, dir.split("/"))),
  };
}

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
  return [{ negated, parts, whole: new RegExp(`^${expression(parts.join("/"))}$`, "su") }];
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at));
  return folders;
}

/** Whether the folder lies on the way to what the parts name. */
function reaches(parts: readonly string[], folders: readonly string[]): boolean {
  for (const [at, folder] of folders.entries()) {
    const part = parts[at];
    if (part === undefined) return false;
    if (part.includes("**")) return true;
    if (!new RegExp(`^${expression(part)}$`, "su").test(folder)) return false;
  }
  return parts.length > folders.length;
}

function expression(pattern: string): string {
  let out = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? "";
    if (pattern.startsWith("**/", at)) {
      out += "(?:.*/)?";
      at += 2;
    } else if (pattern.startsWith("**", at)) {
      out += ".*";
      at += 1;
    } else if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else if (char === "[" && pattern.indexOf("]", at + 2) > 0) {
      const end = pattern.indexOf("]", at + 2);
      out += characterClass(pattern.slice(at + 1, end));
      at = end;
    } else if (char === "\\" && at + 1 < pattern.length) {
      at += 1;
      out += escaped(pattern[at] ?? "");
    } else out += escaped(char);
  }
  return out;
}

const characterClass = (body: string): string => {
  const negated = body.startsWith("^") || body.startsWith("!");
  return `[${negated ? "^/" : ""}${(negated ? body.slice(1) : body).replace(/[\\[\]^&]/g, "\\$&")}]`;
};

const escaped = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
