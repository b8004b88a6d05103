import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ignore from "ignore";
import { dockerIgnore } from "./docker-ignore.ts";

/** Never part of a source unless a `.starformignore` takes it back (`!node_modules`): made, not written. */
const always = [
  ".git",
  ".hg",
  ".svn",
  "node_modules",
  ".starform",
  ".DS_Store",
  "__pycache__",
  "*.pyc",
  ".venv",
];

export type IgnoreRules = {
  /** Reads the ignore files of a folder (relative, "" is the root) before its entries are asked about. */
  enter(folder: string): void;
  /** Whether the entry stays out. A folder that stays out is not looked into. */
  ignores(path: string, isFolder: boolean): boolean;
};

/**
 * `.gitignore` and `.starformignore` of the folder, of those below it and (in a Git repository) of those above it, as
 * Git reads them: the nearer file wins, the later line wins. Then `.dockerignore`, as Docker reads it.
 */
export function ignoreRules(root: string): IgnoreRules {
  const levels = new Map<string, ReturnType<typeof matcher>>();
  const outer = rulesAbove(root);
  const docker = dockerIgnore(read(join(root, ".dockerignore")) ?? "");
  const decide = (path: string, isFolder: boolean): boolean => {
    const name = isFolder ? `${path}/` : path;
    let isIgnored = false;
    for (const { prefix, rules } of outer) isIgnored = verdict(rules, prefix + name, isIgnored);
    for (const folder of foldersTo(path)) {
      const rules = levels.get(folder);
      if (rules) isIgnored = verdict(rules, folder === "" ? name : name.slice(folder.length + 1), isIgnored);
    }
    return isIgnored;
  };
  return {
    enter(folder) {
      const lines = [".gitignore", ".starformignore"].map((name) => read(join(root, folder, name)) ?? "");
      if (folder === "") lines.unshift(always.join("\n"));
      if (lines.some(Boolean)) levels.set(folder, matcher(lines));
    },
    ignores: (path, isFolder) =>
      decide(path, isFolder) || (docker.ignores(path) && !(isFolder && docker.takesBack)),
  };
}

const matcher = (texts: readonly string[]) => {
  const rules = ignore({ ignorecase: false, allowRelativePaths: true });
  for (const text of texts) rules.add(text);
  return rules;
};

function verdict(rules: ReturnType<typeof matcher>, path: string, before: boolean): boolean {
  const { ignored, unignored } = rules.test(path);
  return ignored ? true : unignored ? false : before;
}

/** "", "a", "a/b" for "a/b/c". */
function foldersTo(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, at) => parts.slice(0, at).join("/"));
}

/** The `.gitignore` files between the repository's root and the folder; none if they ignore the folder itself. */
function rulesAbove(root: string) {
  const found: { prefix: string; rules: ReturnType<typeof matcher> }[] = [];
  if (existsSync(join(root, ".git"))) return found;
  for (let at = dirname(root); ; at = dirname(at)) {
    const text = read(join(at, ".gitignore"));
    const prefix = `${relative(at, root).split(sep).join("/")}/`;
    if (text) found.unshift({ prefix, rules: matcher([text]) });
    if (existsSync(join(at, ".git")))
      return found.some(({ prefix, rules }) => rules.test(prefix).ignored) ? [] : found;
    if (dirname(at) === at) return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
