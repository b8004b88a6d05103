import { open } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { readLooseJson } from "./loose-json.ts";
import { nearestName } from "./nearest-name.ts";

const command = z.string().trim().min(1).max(10_000);
const folder = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (value) => !value.startsWith("/") && !value.split("/").includes(".."),
    "must be a path inside the repository",
  );

/** Five fields, of the letters they may hold; that each is in its range is checked where crons are scheduled. */
const cron = z
  .string()
  .regex(
    /^\s*(?:[\d*,/-]+|[A-Za-z,-]+)(?:\s+(?:[\d*,/?LW#-]+|[A-Za-z,-]+)){4}\s*$/,
    'must have five fields, such as "0 3 * * *"',
  );

const settings = {
  builder: z
    .enum(["auto", "railpack", "dockerfile"])
    .describe("auto takes a Dockerfile if there is one, else detects the app; the others insist."),
  dockerfilePath: folder.describe("The Dockerfile, relative to the root directory."),
  rootDirectory: folder.describe("The folder of the repository that holds this app."),
  buildCommand: command.describe("Runs in place of the detected build."),
  installCommand: command.describe("Runs in place of the detected install."),
  startCommand: command.describe("Runs in place of the detected start command."),
  healthCheck: z
    .strictObject({
      path: z
        .string()
        .startsWith("/", "must start with /")
        .max(2048)
        .default("/")
        .describe("Answers with 2xx or 3xx when the app is ready."),
      timeoutSeconds: z
        .number()
        .int()
        .min(1)
        .max(3600)
        .default(60)
        .describe("How long a new instance may take until it answers."),
    })
    .describe("How a new instance shows that it is ready."),
  tier: z.enum(["mininova", "nova", "supernova", "ultranova"]).describe("CPU and memory of one instance."),
  replicas: z.number().int().min(0).max(100).describe("How many instances run."),
  cron: cron.describe("When a cron service runs, in UTC."),
  drainSeconds: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .describe("How long an instance may take to finish its work after SIGTERM."),
  type: z
    .enum(["web", "worker", "cron"])
    .describe("A web service gets traffic, a worker none, a cron runs at times."),
  watchPaths: z
    .array(z.string().min(1).max(1024))
    .max(200)
    .describe("Only pushes that touch one of these deploy; gitignore-like patterns."),
};

const optional = <T extends Record<string, z.ZodType>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, z.exactOptional(schema)])) as {
    [K in keyof T]: z.ZodExactOptional<T[K]>;
  };

const Settings = z.strictObject(optional(settings));
const environmentName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/,
    "must be an environment's name: lower case letters, digits and hyphens",
  );

const File = z.strictObject({
  $schema: z.exactOptional(z.string()),
  project: z
    .exactOptional(z.string().min(1).max(130))
    .describe("The project `starform` deploys this folder to."),
  service: z
    .exactOptional(z.string().min(1).max(63))
    .describe("The service `starform` deploys this folder to."),
  ...optional(settings),
  environments: z.exactOptional(
    z.record(environmentName, Settings).describe("What differs in an environment, by its name."),
  ),
});

export type StarformSettings = z.output<typeof Settings>;
export type StarformFile = z.output<typeof File>;

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

/** Reads `starform.json` of a folder. A broken one is a value: every problem with its place, unknown keys with the nearest valid name. */
export async function readStarformFile(dir: string): Promise<StarformFileOutcome> {
  const text = await readSmall(path.join(dir, starformFileName));
  if (text === undefined) return { kind: "absent" };
  if (text === "too large")
    return refused([{ path: "", message: `it is larger than ${bytesMax / 1024} KB` }]);
  try {
    return parseStarformFile(readLooseJson(text));
  } catch (cause) {
    return refused([{ path: "", message: `it is not valid JSON: ${(cause as Error).message}` }]);
  }
}

/** The same for a value that is already parsed. */
export function parseStarformFile(value: unknown): StarformFileOutcome {
  const read = File.safeParse(value);
  return read.success ? { kind: "read", file: read.data } : refused(read.error.issues.flatMap(problemsOf));
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

async function readSmall(file: string): Promise<string | "too large" | undefined> {
  const handle = await open(file, "r").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR" || cause.code === "ELOOP") return undefined;
    throw cause;
  });
  if (!handle) return undefined;
  await using opened = handle;
  const stats = await opened.stat();
  if (!stats.isFile()) return undefined;
  return stats.size > bytesMax ? "too large" : opened.readFile("utf8");
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
    return [{ path: at.join("."), message: issue.message.replace(/^Invalid input: /, "is wrong: ") }];
  const known = knownKeys(at);
  return issue.keys.map((key) => {
    const near = nearestName(key, known);
    return {
      path: [...at, key].join("."),
      message: `is not a key here${near ? `; did you mean ${near}?` : `; the keys are ${known.join(", ")}`}`,
    };
  });
}

function knownKeys(at: readonly string[]): string[] {
  if (at.at(-1) === "healthCheck") return ["path", "timeoutSeconds"];
  return at[0] === "environments"
    ? Object.keys(settings)
    : [...Object.keys(settings), "environments", "$schema"];
}
