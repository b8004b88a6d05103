import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import path from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { readLooseJson } from "./loose-json.ts";
import { matchesGlob } from "./matches-glob.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { walkTree } from "./walk-tree.ts";

/** No file that says how to build an app is larger, nor are all that one source's plan is made of. */
export const readLimits = {
  fileBytesMax: 2 * 1024 * 1024,
  yamlBytesMax: 40 * 1024,
  tomlBytesMax: 256 * 1024,
  linesMax: 5_000,
  togetherBytesMax: 8 * 1024 * 1024,
  linksMax: 2_000,
};

/** What reading costs, in units of about ten nanoseconds: parsers of YAML and TOML take their time. */
export const work = { startByte: 1, lockByte: 2, textByte: 4, tomlByte: 50, yamlByte: 450, line: 20 };

/** Told of a file before it is looked into. */
export type OnRead = (file: string) => void;
export const nobody: OnRead = () => undefined;

/** What is left to be read for one plan, of all trees that are opened for it. */
export type Reading = { readonly onRead: OnRead; leftWork: number; leftLinks: number };

export const beginReading = (onRead: OnRead = nobody): Reading => ({
  onRead,
  leftWork: work.textByte * readLimits.togetherBytesMax,
  leftLinks: readLimits.linksMax,
});

/**
 * A source tree as the planner sees it: names known, contents read when asked for and within limits.
 * Reading throws `PlanRefusal` where a file is too large, not text, or broken, and says what to do.
 */
export interface SourceTree {
  readonly root: string;
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** What of the tree was passed over, in sentences. */
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
  /** The lines of a file, without what ends them; `PlanRefusal` where they are too many. */
  readLines(file: string): string[] | undefined;
  /** JSON, with comments and trailing commas allowed. */
  readJson(file: string): unknown;
  readYaml(file: string): unknown;
  readToml(file: string): Record<string, unknown> | undefined;
  /** Whether there is room for work that the plan can do without; takes it if so. */
  mayTake(units: number): boolean;
  /** Adds to the notes what a reader of the tree passes over. */
  note(text: string): void;
}

/** `at` is where the root lies in the source, for what is told of its files: "" or "apps/web/". */
export async function openSourceTree(root: string, reading = beginReading(), at = ""): Promise<SourceTree> {
  const { files, directories, notes: ofWalk } = await walkTree(root, reading);
  const notes = new Set(ofWalk);
  const [fileSet, directorySet] = [new Set(files), new Set(directories)];
  const realRoot = realpathSync(root);
  const texts = new Map<string, string>();
  const values = new Map<string, unknown>();

  const read = (file: string): string | undefined => {
    if (!fileSet.has(file)) return undefined;
    const known = texts.get(file);
    if (known !== undefined) return known;
    reading.onRead(at + file);
    const text = readText(realRoot, file, reading);
    texts.set(file, text);
    return text;
  };
  /** Parses a file once, however often its value is asked for. */
  const value = (file: string, format: "YAML" | "TOML"): unknown => {
    const { bytesMax, workPerByte, parse } = parsers[format];
    const parseBounded = (text: string) => {
      if (text.length > bytesMax) throw new Error(`it is larger than ${bytesMax / 1024} KB`);
      take(reading, workPerByte * text.length);
      return parse(text);
    };
    if (!values.has(file)) values.set(file, parsed(file, read(file), format, parseBounded));
    return values.get(file);
  };

  return {
    root,
    files,
    directories,
    get notes() {
      return [...notes];
    },
    hasFile: (file) => fileSet.has(file),
    hasDirectory: (directory) => directorySet.has(directory),
    firstFile: (...names) => names.find((name) => fileSet.has(name)),
    find: (pattern) => files.filter(matchesGlob(pattern)),
    findDirectories: (pattern) => directories.filter(matchesGlob(pattern)),
    read,
    readStart(file, bytes) {
      if (!fileSet.has(file)) return undefined;
      reading.onRead(at + file);
      const start = readBytes(realRoot, file, bytes).bytes;
      take(reading, work.startByte * start.length);
      return new TextDecoder().decode(start);
    },
    readLines(file) {
      const lines = linesOf(file, read(file));
      if (lines) take(reading, work.line * lines.length);
      return lines;
    },
    readJson: (file) => parsed(file, read(file), "JSON", readLooseJson),
    readYaml: (file) => value(file, "YAML"),
    readToml: (file) => value(file, "TOML") as Record<string, unknown> | undefined,
    mayTake: (units) => units <= reading.leftWork / 2 && take(reading, units),
    note: (text) => void notes.add(text),
  };
}

/**
 * A few aliases are normal; the number that a "billion laughs" file needs is refused by the parser. Whether keys are
 * unique it finds out by comparing each with all, so it is not asked.
 */
const readYaml = (text: string): unknown =>
  parseYaml(text, { maxAliasCount: 32, uniqueKeys: false, logLevel: "error" });

const parsers = {
  YAML: { bytesMax: readLimits.yamlBytesMax, workPerByte: work.yamlByte, parse: readYaml },
  TOML: { bytesMax: readLimits.tomlBytesMax, workPerByte: work.tomlByte, parse: parseToml },
};

function take(reading: Reading, units: number): true {
  reading.leftWork -= units;
  if (reading.leftWork >= 0) return true;
  throw new PlanRefusal("the files that describe this app are together more than the planner reads", {
    hint: "Set the root directory to one app of the repository, or add a Dockerfile.",
  });
}

function linesOf(file: string, text: string | undefined): string[] | undefined {
  const lines = text?.split("\n", readLimits.linesMax + 1);
  if (lines && lines.length > readLimits.linesMax)
    throw new PlanRefusal(`${file} has more than ${readLimits.linesMax} lines`, {
      hint: `Make ${file} shorter, commit it, and deploy again.`,
    });
  return lines;
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
    if (cause instanceof PlanRefusal) throw cause;
    const why = cause instanceof RangeError ? "it is nested too deeply" : firstLine(cause);
    throw new PlanRefusal(`${file} is not valid ${format}: ${why}`, {
      hint: `Correct ${file}, commit it, and deploy again.`,
    });
  }
}

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0]!.replace(/:$/, "").slice(0, 300);

function readText(root: string, file: string, reading: Reading): string {
  const { bytes, size } = readBytes(root, file, readLimits.fileBytesMax);
  if (size > readLimits.fileBytesMax) {
    throw new PlanRefusal(
      `${file} is ${megabytes(size)}; a file that describes an app may be ${megabytes(readLimits.fileBytesMax)} at most`,
      {
        hint: `Make ${file} smaller, or add a Dockerfile, which is built without reading it.`,
      },
    );
  }
  take(reading, work.textByte * bytes.length);
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
