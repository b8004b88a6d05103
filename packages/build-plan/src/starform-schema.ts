import { z } from "zod";

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

/** The keys that hold for a service, or for one of its environments. */
export const settings = {
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

export const File = z.strictObject({
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
