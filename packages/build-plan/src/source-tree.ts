import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import path from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { readLooseJson } from "./loose-json.ts";
import { matchesGlob } from "./matches-glob.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { walkTree } from "./walk-tree.ts";

/** No file that says how to build an app is larger; together they stay below the second figure. */
export const readLimits = {
  fileBytesMax: 2 * 1024 * 1024,
  yamlBytesMax: 512 * 1024,
  togetherBytesMax: 32 * 1024 * 1024,
};

/**
 * A source tree as the planner sees it: names known, contents read when asked for and within limits.
 * Reading throws `PlanRefusal` where a file is too large, not text, or broken, and says what to do.
 */
export interface SourceTree {
  readonly root: string;
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly notes: readonly string[];
  hasFile(file: string): boolean;
  hasDirectory(directory: string): boolean;
  /** The first of the names that is a file here. */
  firstFile(...files: string[]): string | undefined;
  /** Files by pattern (`*`, `**`, `{a,b}`), in code unit order. */
  find(pattern: string): string[];
  findDirectories(pattern: string): string[];
  /** The text of a file, undefined where there is none. */
  read(file: string): string | undefined;
  /** The beginning of a file of any size, with what is not UTF-8 replaced. */
  readStart(file: string, bytes: number): string | undefined;
  /** JSON, with comments and trailing commas allowed. */
  readJson(file: string): unknown;
  readYaml(file: string): unknown;
  readToml(file: string): Record<string, unknown> | undefined;
}

/** Told of a file before it is looked into. */
export type OnRead = (file: string) => void;
export const nobody: OnRead = () => undefined;

export async function openSourceTree(root: string, onRead: OnRead = nobody): Promise<SourceTree> {
  const { files, directories, notes } = await walkTree(root);
  const [fileSet, directorySet] = [new Set(files), new Set(directories)];
  const realRoot = realpathSync(root);
  const texts = new Map<string, string>();
  const budget = { leftBytes: readLimits.togetherBytesMax };

  const read = (file: string): string | undefined => {
    if (!fileSet.has(file)) return undefined;
    const known = texts.get(file);
    if (known !== undefined) return known;
    onRead(file);
    const text = readText(realRoot, file, budget);
    texts.set(file, text);
    return text;
  };

  return {
    root,
    files,
    directories,
    notes,
    hasFile: (file) => fileSet.has(file),
    hasDirectory: (directory) => directorySet.has(directory),
    firstFile: (...names) => names.find((name) => fileSet.has(name)),
    find: (pattern) => files.filter(matchesGlob(pattern)),
    findDirectories: (pattern) => directories.filter(matchesGlob(pattern)),
    read,
    readStart(file, bytes) {
      if (!fileSet.has(file)) return undefined;
      onRead(file);
      return new TextDecoder().decode(readBytes(realRoot, file, bytes).bytes);
    },
    readJson: (file) => parsed(file, read(file), "JSON", readLooseJson),
    readYaml: (file) => parsed(file, read(file), "YAML", readBoundedYaml),
    readToml: (file) => parsed(file, read(file), "TOML", parseToml) as Record<string, unknown> | undefined,
  };
}

/** A few aliases are normal; the number that a "billion laughs" file needs is refused by the parser. */
function readBoundedYaml(text: string): unknown {
  if (text.length > readLimits.yamlBytesMax)
    throw new Error(`it is larger than ${megabytes(readLimits.yamlBytesMax)}`);
  return parseYaml(text, { maxAliasCount: 32, logLevel: "error" });
}

function parsed<T>(
  file: string,
  text: string | undefined,
  format: string,
  parse: (text: string) => T,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (cause) {
    const why = cause instanceof RangeError ? "it is nested too deeply" : firstLine(cause);
    throw new PlanRefusal(`${file} is not valid ${format}: ${why}`, {
      hint: `Correct ${file}, commit it, and deploy again.`,
    });
  }
}

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0]!.replace(/:$/, "").slice(0, 300);

function readText(root: string, file: string, budget: { leftBytes: number }): string {
  const { bytes, size } = readBytes(root, file, readLimits.fileBytesMax);
  if (size > readLimits.fileBytesMax) {
    throw new PlanRefusal(
      `${file} is ${megabytes(size)}; a file that describes an app may be ${megabytes(readLimits.fileBytesMax)} at most`,
      {
        hint: `Make ${file} smaller, or add a Dockerfile, which is built without reading it.`,
      },
    );
  }
  budget.leftBytes -= bytes.length;
  if (budget.leftBytes < 0) {
    throw new PlanRefusal(
      `the files that describe this app are larger than ${megabytes(readLimits.togetherBytesMax)} together`,
      {
        hint: "Set the root directory to one app of the repository, or add a Dockerfile.",
      },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new PlanRefusal(`${file} is not UTF-8 text`, {
      hint: `Save ${file} as UTF-8, commit it, and deploy again.`,
    });
  }
}

/** Reads at most so many bytes of a regular file. Neither blocks on a pipe put in its place nor trusts the size it was told. */
function readBytes(root: string, file: string, bytesMax: number): { bytes: Buffer; size: number } {
  const descriptor = openReadable(root, file);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { bytes: Buffer.alloc(0), size: 0 };
    const buffer = Buffer.alloc(Math.min(stats.size, bytesMax));
    const length = buffer.length === 0 ? 0 : readSync(descriptor, buffer, 0, buffer.length, 0);
    return { bytes: buffer.subarray(0, length), size: stats.size };
  } finally {
    closeSync(descriptor);
  }
}

function openReadable(root: string, file: string): number {
  try {
    return openSync(path.join(root, file), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PlanRefusal(`${file} cannot be read (${code})`, {
      hint: `Make ${file} readable, or leave it out of the source.`,
    });
  }
}

const megabytes = (bytes: number): string => `${Math.max(1, Math.round(bytes / 1024 / 1024))} MB`;
