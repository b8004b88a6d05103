import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readBuildPlan } from "@starform/build-plan/build-plan";
import { buildAllowances } from "@starform/contract/plans";
import { until } from "@starform/std/retry";
import type {
  BuildFacts,
  BuildLogLine,
  BuildService,
  BuildSpec,
  BuildStatus,
} from "../src/ports/build-service.ts";

/** What a test needs of a builder beside the port. */
export type BuilderUnderTest = AsyncDisposable & {
  readonly builds: BuildService;
  /** What it measures on this machine. */
  readonly measures: readonly (keyof BuildFacts)[];
  /** Whether it holds every limit of a build. One that does not still holds its time, and says so. */
  readonly holdsLimits: boolean;
  /** A folder for sources. */
  readonly dir: string;
  /** Every image of the service there is. */
  imagesOf(spec: BuildSpec): Promise<readonly string[]>;
  /** Whether the text occurs anywhere in an image: files, names, configuration. */
  imageHolds(image: string, text: string): Promise<boolean>;
  /** Text of a file of the image's /app. */
  fileOf(image: string, file: string): Promise<string>;
  /** What the names of its images begin with, without tag and digest. */
  repositoryOf?(spec: BuildSpec): string;
  /** A second Worker's service over the same records. */
  readonly another: BuildService;
  /** The places of a workspace at the builder, where a workspace has one of its own there. */
  placesOf?(workspaceId: string): readonly string[];
  /** Whether a plan or a Dockerfile can start from any image by its name. */
  readonly buildsOnImages?: boolean;
  /** An image of these lines at a registry that anybody pushes to, by its name. */
  publicImage?(dockerfile: string): Promise<string>;
  /** Cuts whatever connections builds have; new ones can be made. */
  loseConnections?(): void;
  /** How the line begins that it says once the image is there; `killedAt` takes it for a moment in which there is one. */
  readonly lastWords: string;
  /** Runs the build in a process of its own, which is killed when the log has a line that begins with `text`. */
  killedAt(spec: BuildSpec, text: string): Promise<void>;
  /** Whether a process with this text in its command line runs on the machine. */
  isRunning(text: string): Promise<boolean>;
};

/** A build of shell commands on a source of one file. */
export async function aBuild(
  { dir }: Pick<BuilderUnderTest, "dir">,
  commands: readonly string[],
  more: Partial<BuildSpec> & { files?: Record<string, string> } = {},
): Promise<BuildSpec> {
  const { files = { "app.txt": `source ${randomUUID()}` }, ...spec } = more;
  const contextDir = path.join(dir, randomUUID());
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(contextDir, name)), { recursive: true });
    await writeFile(path.join(contextDir, name), text);
  }
  const plan = readBuildPlan({
    steps: [
      {
        name: "build",
        inputs: [{ image: "base" }, { local: true, include: ["."] }],
        commands: commands.map((cmd) => ({
          cmd: `sh -c '${cmd.replaceAll("'", `'\\''`)}'`,
          customName: cmd,
        })),
        secrets: ["*"],
      },
    ],
    secrets: Object.keys(spec.variables ?? {}),
    deploy: {
      base: { image: "base" },
      inputs: [{ step: "build", include: ["."] }],
      startCommand: "cat app.txt",
    },
  });
  return {
    buildId: randomUUID(),
    workspaceId: randomUUID(),
    projectId: randomUUID(),
    serviceId: randomUUID(),
    contextDir,
    outcome: {
      ok: true,
      kind: "plan",
      plan,
      info: { providers: ["shell"], versions: {}, decisions: [], rootDirectory: "." },
    },
    variables: {},
    secretNames: [],
    noCache: false,
    limits: buildAllowances.hobby,
    labels: {},
    ...spec,
  };
}

export async function logOf(builds: BuildService, spec: BuildSpec): Promise<BuildLogLine[]> {
  const lines: BuildLogLine[] = [];
  for await (const line of builds.streamLogs(spec, AbortSignal.timeout(60_000))) lines.push(line);
  return lines;
}

export const endsOf = (log: readonly BuildLogLine[]) => log.flatMap(({ ended: end }) => end ?? []);

/** Builds to the end. */
export async function built(builds: BuildService, spec: BuildSpec) {
  await builds.submitBuild(spec);
  const log = await logOf(builds, spec);
  return { log, text: log.map((line) => line.text).join("\n"), status: await ended(builds, spec) };
}

/** The log ends with the build, and the status an instant later; that its Worker is dead may take a lease to see. */
export const ended = (builds: BuildService, spec: BuildSpec) =>
  until("the build has ended", async () => {
    const status = await builds.getBuildStatus(spec);
    return status.state !== "running" && status;
  });

/** Builds it; the name that another Dockerfile would have the image by. */
export async function tagOf({ builds, repositoryOf }: BuilderUnderTest, spec: BuildSpec): Promise<string> {
  await imageOf(builds, spec);
  const repository = repositoryOf?.(spec) ?? `starform.local/${spec.projectId}/${spec.serviceId}`;
  return `${repository}:${spec.buildId}`;
}

export const imageIn = (status: BuildStatus): string =>
  status.state === "succeeded" ? status.image : `no image: ${JSON.stringify(status)}`;

export async function imageOf(builds: BuildService, spec: BuildSpec): Promise<string> {
  const { status, text } = await built(builds, spec);
  if (status.state !== "succeeded")
    throw new Error(`the build did not succeed: ${JSON.stringify(status)}\n${text}`);
  return status.image;
}
