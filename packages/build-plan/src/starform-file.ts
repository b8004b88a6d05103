import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { holdsMoreThan } from "./holds-more-than.ts";
import { readLooseJson } from "./loose-json.ts";
import { nearestName } from "./nearest-name.ts";
import { unwritableIn } from "./refuse-unwritable.ts";
import { File, settings, type StarformFile, type StarformSettings } from "./starform-schema.ts";

export type { StarformFile, StarformSettings } from "./starform-schema.ts";

export interface StarformProblem {
  /** Where in the file: "healthCheck.path". */
  readonly path: string;
  readonly message: string;
}

export type StarformFileOutcome =
  | { readonly kind: "absent" }
  | { readonly kind: "read"; readonly file: StarformFile }
  | { readonly kind: "refused"; readonly message: string; readonly problems: StarformProblem[] };

export const starformFileName = "starform.json";
const bytesMax = 256 * 1024;
const valuesMax = 2_000;
/** Whoever corrects these sees the rest with the next reading. */
const problemsMax = 50;

/** Reads `starform.json` of a folder. A broken one is a value: every problem with its place, unknown keys with the nearest valid name. */
export async function readStarformFile(dir: string): Promise<StarformFileOutcome> {
  const text = await readSmall(dir, starformFileName);
  if (text === undefined) return { kind: "absent" };
  return text === "too large" ? tooLarge() : readStarformText(text);
}

const tooLarge = () => refused([{ path: "", message: `it is larger than ${bytesMax / 1024} KB` }]);

/** The same for its text, wherever that was kept. */
export function readStarformText(text: string): StarformFileOutcome {
  if (text.length > bytesMax) return tooLarge();
  try {
    return parseStarformFile(readLooseJson(text));
  } catch (cause) {
    return refused([{ path: "", message: `it is not valid JSON: ${(cause as Error).message}` }]);
  }
}

/** The same for a value that is already parsed. */
export function parseStarformFile(value: unknown): StarformFileOutcome {
  if (holdsMoreThan(value, valuesMax))
    return refused([{ path: "", message: `it holds more than ${valuesMax} values` }]);
  const unwritable = unwritableIn(value);
  if (unwritable)
    return refused([
      { path: "", message: `${unwritable} holds a NUL or half a character, which no command can` },
    ]);
  const read = File.safeParse(value);
  return read.success
    ? { kind: "read", file: read.data }
    : refused(read.error.issues.slice(0, problemsMax).flatMap(problemsOf));
}

/** The settings that hold in an environment: the file's, with the environment's own over them. */
export function settingsIn(file: StarformFile, environment: string): StarformSettings {
  const { $schema: _schema, project: _project, service: _service, environments, ...settings } = file;
  return {
    ...settings,
    ...(environments !== undefined && Object.hasOwn(environments, environment)
      ? environments[environment]
      : {}),
  };
}

/** The JSON schema editors use, for publishing. */
export function starformJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(File, { io: "input" }),
    title: "starform.json",
    description: "How a service of Starform is built and run.",
  };
}

/**
 * The text of a regular file of the folder. A link out of it counts as absent, because what it points at is not the
 * source's to show; a pipe does not block.
 */
async function readSmall(dir: string, name: string): Promise<string | "too large" | undefined> {
  const [root, real] = await Promise.all(
    [dir, path.join(dir, name)].map((at) => realpath(at).catch(() => "")),
  );
  if (!root || !real?.startsWith(root + path.sep)) return undefined;
  await using file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) return undefined;
  // Of a file that grows no more than its bound.
  const { bytesRead, buffer } = await file.read(Buffer.alloc(bytesMax + 1), 0, bytesMax + 1, 0);
  return bytesRead > bytesMax ? "too large" : buffer.toString("utf8", 0, bytesRead);
}

function refused(problems: StarformProblem[]): StarformFileOutcome {
  const said = problems
    .slice(0, 5)
    .map(({ path, message }) => (path === "" ? message : `${path} ${message}`));
  return { kind: "refused", message: `${starformFileName} was not accepted: ${said.join("; ")}`, problems };
}

function problemsOf(issue: z.core.$ZodIssue): StarformProblem[] {
  const at = issue.path.map(String);
  if (issue.code !== "unrecognized_keys")
    return [
      { path: at.join("."), message: sayOf(at, issue.message.replace(/^Invalid input: /, "is wrong: ")) },
    ];
  const known = knownKeys(at);
  return issue.keys.slice(0, problemsMax).map((key) => {
    const near = nearestName(key, known);
    return {
      path: [...at, key].join("."),
      message: `is not a key here${near ? `; did you mean ${near}?` : `; the keys are ${known.join(", ")}`}`,
    };
  });
}

/** Of the file itself no key speaks. */
const sayOf = (at: readonly string[], message: string): string =>
  at.length === 0 ? `it ${message}` : message;

function knownKeys(at: readonly string[]): string[] {
  if (at.at(-1) === "healthCheck") return Object.keys(settings.healthCheck.shape);
  return Object.keys(at[0] === "environments" ? settings : File.shape);
}
