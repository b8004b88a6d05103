import { parse as parseToml } from "smol-toml";
import { readLooseJson } from "./loose-json.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { type SourceTree, work } from "./source-tree.ts";

/** Throws, with what is wrong, where the text is not what its tool takes. */
type Check = (text: string, tree: SourceTree) => unknown;

/** A larger lock file is left to its tool, which reads it anyway, as are those for which there is no room left. */
const bytesMax = 4 * 1024 * 1024;
/** The parser takes its time; a larger file is looked at for conflicts alone. */
const tomlCharsMax = 256 * 1024;

/** What each lock file has to be, and what writes it anew. */
const lockFiles: Record<string, { check: Check; remake: string }> = {
  "package-lock.json": { check: json(JSON.parse), remake: "npm install" },
  "npm-shrinkwrap.json": { check: json(JSON.parse), remake: "npm install && npm shrinkwrap" },
  "yarn.lock": { check: yarn, remake: "yarn install" },
  "pnpm-lock.yaml": { check: pnpm, remake: "pnpm install" },
  "bun.lock": { check: json(readLooseJson), remake: "bun install" },
  "deno.lock": { check: json(JSON.parse), remake: "deno install" },
  "uv.lock": { check: toml, remake: "uv lock" },
  "poetry.lock": { check: toml, remake: "poetry lock" },
  "pdm.lock": { check: toml, remake: "pdm lock" },
  "Pipfile.lock": { check: json(JSON.parse), remake: "pipenv lock" },
  "go.sum": { check: goSum, remake: "go mod tidy" },
  "Cargo.lock": { check: toml, remake: "cargo generate-lockfile" },
  "Gemfile.lock": { check: gemfile, remake: "bundle lock" },
  "composer.lock": { check: json(JSON.parse), remake: "composer update" },
  "mix.lock": { check: mix, remake: "mix deps.get" },
  "manifest.toml": { check: toml, remake: "gleam deps download" },
  "packages.lock.json": { check: json(JSON.parse), remake: "dotnet restore" },
  "gradle.lockfile": { check: () => undefined, remake: "gradle dependencies --write-locks" },
};

/** The lock files that a provider's tool goes by; Node's and Python's depend on the package manager. */
const lockFilesOf: Record<string, readonly string[]> = {
  deno: ["deno.lock"],
  dotnet: ["packages.lock.json"],
  elixir: ["mix.lock"],
  gleam: ["manifest.toml"],
  golang: ["go.sum"],
  java: ["gradle.lockfile"],
  php: ["composer.lock"],
  ruby: ["Gemfile.lock"],
  rust: ["Cargo.lock"],
};

/** Throws PlanRefusal where a lock file that the provider goes by is broken. */
export function refuseBrokenLocks(tree: SourceTree, provider: string): void {
  for (const file of lockFilesOf[provider] ?? []) readLock(tree, file);
}

/**
 * The text of a lock file; undefined where there is none, or one too large to be looked at. Throws PlanRefusal, with what
 * writes it anew, when it is broken: its tool would say so less plainly, and minutes later.
 */
export function readLock(tree: SourceTree, file: string): string | undefined {
  const text = tree.readStart(file, bytesMax);
  const known = lockFiles[file];
  if (text === undefined || known === undefined) return text;
  if (!tree.mayTake(work.lockByte * text.length)) return undefined;
  const why = holdsConflict(text)
    ? "it holds an unresolved merge conflict"
    : wrongWith(tree, text, known.check);
  if (why)
    throw new PlanRefusal(`${file} is broken: ${why}`, {
      hint: `Delete ${file}, run ${known.remake}, commit the new one, and deploy again.`,
    });
  return isWhole(text) ? text : undefined;
}

const isWhole = (text: string): boolean => Buffer.byteLength(text) < bytesMax;

/** Git's marks; none of these files has a line of its own that begins so. */
const holdsConflict = (text: string): boolean => /^(?:<{7}(?: |$)|={7}\r?$|>{7}(?: |$))/m.test(text);

function wrongWith(tree: SourceTree, text: string, check: Check): string | undefined {
  if (!isWhole(text)) return undefined;
  try {
    check(text, tree);
    return undefined;
  } catch (cause) {
    if (cause instanceof RangeError) return "it is nested too deeply";
    const said = cause instanceof Error ? cause.message : String(cause);
    return said.split("\n", 1)[0]!.replace(/:$/, "").slice(0, 300);
  }
}

function json(parse: (text: string) => unknown): Check {
  return (text) => {
    const value = parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Error("it does not hold a JSON object");
  };
}

function toml(text: string, tree: SourceTree): void {
  if (text.length <= tomlCharsMax && tree.mayTake(work.tomlByte * text.length)) parseToml(text);
}

/** By its margin: a parser of YAML would take seconds for a file of the usual size. */
function pnpm(text: string): void {
  if (!/^lockfileVersion:/m.test(text)) throw new Error("no line of it says its lockfileVersion");
  each(text, (line) => /^(?:\s|#|---|[\w'"]+:)/.test(line), "is not of a pnpm-lock.yaml");
}

/** Yarn's own text of version 1, and the YAML of later ones: at the margin stand names of packages alone. */
function yarn(text: string): void {
  const fits = (line: string) => /^(?:\s|#|---|\?|:)/.test(line) || line.trimEnd().endsWith(":");
  each(text, fits, "is not of a yarn.lock");
}

function goSum(text: string): void {
  each(text, (line) => /^\S+ v\S+ h1:\S+\s*$/.test(line), "is not of a go.sum");
}

function gemfile(text: string): void {
  const heads =
    /^(?:GEM|GIT|PATH|PLUGIN SOURCE|PLATFORMS|DEPENDENCIES|BUNDLED WITH|RUBY VERSION|CHECKSUMS)\s*$/m;
  if (text.trim() && !heads.test(text)) throw new Error("it has none of the parts that Bundler writes");
}

function mix(text: string): void {
  if (text.trim() && !/^\s*%\{[\s\S]*\}\s*$/.test(text)) throw new Error("it does not hold a map of Elixir");
}

function each(text: string, fits: (line: string) => boolean, why: string): void {
  const lines = text.split("\n");
  const wrong = lines.findIndex((one) => one.trim() !== "" && !fits(one));
  if (wrong !== -1) throw new Error(`line ${wrong + 1} ${why}`);
}
