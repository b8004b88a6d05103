import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readBuildPlan } from "@starform/build-plan/build-plan";
import { buildAllowances } from "@starform/contract/plans";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  readonly another?: BuildService;
  /** Whether a plan or a Dockerfile can start from any image by its name. */
  readonly buildsOnImages?: boolean;
  /** Cuts whatever connections builds have; new ones can be made. */
  loseConnections?(): void;
  /** How the line begins that it says once the image is there, and before that is written down. */
  readonly lastWords?: string;
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

const endsOf = (log: readonly BuildLogLine[]) => log.flatMap(({ ended: end }) => end ?? []);

/** Builds to the end. */
export async function built(builds: BuildService, spec: BuildSpec) {
  await builds.submitBuild(spec);
  const log = await logOf(builds, spec);
  return { log, text: log.map((line) => line.text).join("\n"), status: await ended(builds, spec) };
}

/** The log ends with the build, and the status an instant later; that its Worker is dead may take a lease to see. */
const ended = (builds: BuildService, spec: BuildSpec) =>
  until("the build has ended", async () => {
    const status = await builds.getBuildStatus(spec);
    return status.state !== "running" && status;
  });

/** Builds it; the name that another Dockerfile would have the image by. */
async function tagOf({ builds, repositoryOf }: BuilderUnderTest, spec: BuildSpec): Promise<string> {
  await imageOf(builds, spec);
  const repository = repositoryOf?.(spec) ?? `starform.local/${spec.projectId}/${spec.serviceId}`;
  return `${repository}:${spec.buildId}`;
}

const imageIn = (status: BuildStatus): string =>
  status.state === "succeeded" ? status.image : `no image: ${JSON.stringify(status)}`;

export async function imageOf(builds: BuildService, spec: BuildSpec): Promise<string> {
  const { status, text } = await built(builds, spec);
  if (status.state !== "succeeded")
    throw new Error(`the build did not succeed: ${JSON.stringify(status)}\n${text}`);
  return status.image;
}

/** The promises of the BuildService port; every adapter runs them. */
export function buildServiceContract(name: string, open: () => Promise<BuilderUnderTest>): void {
  describe(`${name} build service`, { timeout: 120_000 }, () => {
    let under: BuilderUnderTest;
    beforeAll(async () => {
      under = await open();
    }, 180_000);
    afterAll(() => under?.[Symbol.asyncDispose]());

    test("makes a workspace's place as often as it is asked", async () => {
      const workspaceId = randomUUID();
      await under.builds.ensureProject(workspaceId);
      await under.builds.ensureProject(workspaceId);
    });

    test("turns a source into an image that holds its files and is named by its content", async () => {
      const spec = await aBuild(under, ["echo made > made.txt"], { files: { "app.txt": "hello" } });
      const { status } = await built(under.builds, spec);
      expect(status).toMatchObject({ state: "succeeded", sizeBytes: expect.any(Number) });
      if (status.state !== "succeeded") return;
      expect(status.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
      const repository = under.repositoryOf?.(spec) ?? `starform.local/${spec.projectId}/${spec.serviceId}`;
      expect(status.image).toBe(`${repository}@${status.imageDigest}`);
      expect(await under.fileOf(status.image, "app.txt")).toBe("hello");
      expect(await under.fileOf(status.image, "made.txt")).toBe("made\n");
    });

    test("gives each of several builds at once its own source, though their plans are alike", async () => {
      const specs = await Promise.all(
        ["one", "two", "three"].map((word) =>
          aBuild(under, ["cat app.txt > made.txt"], { files: { "app.txt": word } }),
        ),
      );
      const images = await Promise.all(specs.map((spec) => imageOf(under.builds, spec)));
      const made = await Promise.all(images.map((image) => under.fileOf(image, "made.txt")));
      expect(made).toEqual(["one", "two", "three"]);
    });

    test("builds once when it is submitted twice, and gives each reader every line in order", async () => {
      const spec = await aBuild(under, ["for i in 1 2 3 4 5; do echo line $i; done; echo once >> count.txt"]);
      await Promise.all([under.builds.submitBuild(spec), under.builds.submitBuild(spec)]);
      const [first, second] = await Promise.all([logOf(under.builds, spec), logOf(under.builds, spec)]);
      await under.builds.submitBuild(spec);
      const third = await logOf(under.builds, spec);
      expect(second).toEqual(first);
      expect(third).toEqual(first);
      expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i + 1));
      expect(first.filter(({ stream }) => stream === "stdout").map(({ text }) => text)).toEqual(
        [1, 2, 3, 4, 5].map((i) => `line ${i}`),
      );
      const [image, ...others] = await under.imagesOf(spec);
      expect(others).toEqual([]);
      expect(await under.fileOf(image!, "count.txt")).toBe("once\n");
    });

    test("fails with the step, the exit code and the last lines when a command does", async () => {
      const spec = await aBuild(under, ["echo all is well", "echo out of flour >&2; exit 7", "echo never"]);
      const { status, text } = await built(under.builds, spec);
      expect(status).toMatchObject({
        state: "failed",
        reason: expect.stringMatching(/step "build\b[^"]*" failed.* 7\b[\s\S]*out of flour/),
      });
      expect(text).not.toContain("never");
      expect(await under.imagesOf(spec)).toEqual([]);
    });

    test("tells how each step ended and what it took, and of a repeat that all of it was there", async () => {
      const spec = await aBuild(under, ["echo one > one.txt", "echo two > two.txt"]);
      const first = await built(under.builds, spec);
      const ends = endsOf(first.log);
      expect(ends.length).toBeGreaterThan(0);
      expect(ends).toEqual(ends.map(() => ({ outcome: "done", durationMs: expect.any(Number) })));
      const again = endsOf((await built(under.builds, { ...spec, buildId: randomUUID() })).log);
      expect(again.length).toBeGreaterThan(0);
      expect(again.map(({ outcome }) => outcome)).toEqual(again.map(() => "cached"));
      const failing = await aBuild(under, ["exit 3"]);
      expect(endsOf((await built(under.builds, failing)).log).at(-1)?.outcome).toBe("failed");
    });

    test("measures what it can know, and leaves out what it cannot", async () => {
      const files = { "app.txt": `sent ${randomUUID()}` };
      const { status } = await built(
        under.builds,
        await aBuild(under, ["head -c 3000000 /dev/urandom > large"], { files }),
      );
      if (status.state !== "succeeded") throw new Error("the build did not succeed");
      const { sentBytes, peakMemoryBytes, layers } = status.facts ?? {};
      const known = [sentBytes, peakMemoryBytes, ...(layers ?? []).map(({ sizeBytes }) => sizeBytes)];
      for (const one of known.filter((value) => value !== undefined)) expect(one).toBeGreaterThan(0);
      expect(Object.keys(status.facts ?? {}).toSorted()).toEqual(under.measures.toSorted());
      expect(layers === undefined || layers.some(({ sizeBytes }) => sizeBytes >= 3_000_000)).toBe(true);
    });

    test("ends a running build in under a second when it is cancelled, with nothing left running", async () => {
      const took: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const mark = `mark${randomUUID()}`;
        const spec = await aBuild(under, [
          `echo ready; sh -c "sleep 600; echo ${mark}" & sleep 601; echo ${mark}`,
        ]);
        await under.builds.submitBuild(spec);
        for await (const { text } of under.builds.streamLogs(spec, AbortSignal.timeout(60_000)))
          if (text === "ready") break;
        const askedAt = performance.now();
        await under.builds.cancelBuild(spec);
        took.push(performance.now() - askedAt);
        expect(await under.builds.getBuildStatus(spec)).toEqual({ state: "cancelled" });
        expect(await under.isRunning(mark)).toBe(false);
        expect(await under.imagesOf(spec)).toEqual([]);
        await logOf(under.builds, spec);
      }
      expect(took.toSorted((one, other) => one - other)[2]).toBeLessThan(1_000);
    });

    test("cancels a build that has only just been submitted, and leaves one that has ended as it is", async () => {
      const young = await aBuild(under, ["sleep 602"]);
      await under.builds.submitBuild(young);
      await under.builds.cancelBuild(young);
      expect(await under.builds.getBuildStatus(young)).toEqual({ state: "cancelled" });

      const old = await aBuild(under, ["true"]);
      const { status } = await built(under.builds, old);
      await under.builds.cancelBuild(old);
      expect(await under.builds.getBuildStatus(old)).toEqual(status);
      await under.builds.cancelBuild({ buildId: randomUUID(), workspaceId: old.workspaceId });
    });

    test("stops telling when the listener leaves, and builds on", async () => {
      const spec = await aBuild(under, [
        "echo one; while [ ! -e /tmp/never ] && [ $((i=i+1)) -lt 8 ]; do sleep 0.1; done",
      ]);
      await under.builds.submitBuild(spec);
      const leave = new AbortController();
      const listening = (async () => {
        for await (const _ of under.builds.streamLogs(spec, leave.signal)) leave.abort();
      })();
      await expect(listening).rejects.toThrow(/abort/i);
      expect((await built(under.builds, spec)).status.state).toBe("succeeded");
    });

    test("knows nothing of a build whose process was killed, and then builds it once", async () => {
      const mark = `mark${randomUUID()}`;
      const spec = await aBuild(
        under,
        [
          `echo started; if [ -n "$HANG" ]; then sleep 603; echo ${mark}; fi; date +%N > different-each-time.txt`,
        ],
        {
          variables: { HANG: "1" },
        },
      );
      await under.killedAt(spec, "started");
      expect(await ended(under.builds, spec)).toEqual({ state: "unknown" });
      await imageOf(under.builds, { ...spec, variables: {} });
      await imageOf(under.builds, { ...spec, variables: {} });
      expect(await under.imagesOf(spec)).toHaveLength(1);
      await until("what the first try ran is gone", async () => !(await under.isRunning(mark)));
    });

    test("has one image of a build whose process was killed in the moment it had it", async (context) => {
      if (!under.lastWords) return context.skip("this builder does not say when it has an image");
      const spec = await aBuild(under, ["echo nearly there; date +%N > different-each-time.txt"], {
        noCache: true,
      });
      await under.killedAt(spec, under.lastWords);
      await ended(under.builds, spec);
      const image = await imageOf(under.builds, spec);
      expect(await under.imagesOf(spec)).toEqual([image]);
    });

    test("leaves a build to the Worker that runs it, and gives its image to every other", async (context) => {
      const { another } = under;
      if (!another) return context.skip("builds of this builder belong to one machine");
      const spec = await aBuild(under, ["echo begun; sleep 1; date +%N > different-each-time.txt"]);
      await under.builds.submitBuild(spec);
      for await (const { text } of under.builds.streamLogs(spec, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
      expect(await another.getBuildStatus(spec)).toEqual({ state: "running" });
      await expect(another.submitBuild(spec)).rejects.toThrow(/is running in/);
      await logOf(another, spec);
      const seen = await ended(another, spec);
      expect(imageIn(seen)).toEqual(imageIn(await ended(under.builds, spec)));
      await another.submitBuild(spec);
      expect(await another.getBuildStatus(spec)).toEqual(seen);
      expect(await under.imagesOf(spec)).toHaveLength(1);
    });

    test("builds to the end, or fails with the truth, when the connection to the builder is lost", async (context) => {
      if (!under.loseConnections) return context.skip("this builder is not reached over a connection");
      const mark = `mark${randomUUID()}`;
      const spec = await aBuild(under, [
        `echo begun; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; : ${mark}; date +%N > different-each-time.txt`,
      ]);
      await under.builds.submitBuild(spec);
      for await (const { text } of under.builds.streamLogs(spec, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
      under.loseConnections();
      const { status, text, log } = await built(under.builds, spec);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
      expect(text).toMatch(/connection .* lost|went away/);
      expect(status).toMatchObject({ state: "succeeded" });
      expect(await under.imagesOf(spec)).toHaveLength(1);
      await until("nothing of it runs any more", async () => !(await under.isRunning(mark)));
    });

    test("does not build on another project's image, and does on its own", async (context) => {
      if (!under.buildsOnImages) return context.skip("this builder knows no images but its own base");
      const other = await aBuild(under, ["echo theirs > theirs.txt"]);
      const theirs = await tagOf(under, other);
      const onto = async (image: string, ways: Pick<Partial<BuildSpec>, "variables">, dockerfile: string) => {
        const files = { Dockerfile: dockerfile, "app.txt": image };
        const spec = await aBuild(under, [], { files, ...ways });
        const { info } = spec.outcome as Extract<BuildSpec["outcome"], { ok: true }>;
        const outcome = { ok: true, kind: "dockerfile", path: "Dockerfile", info } as const;
        return built(under.builds, { ...spec, outcome });
      };
      const refused = {
        state: "failed",
        reason: expect.stringContaining(`the build is to start from ${theirs}, and this project has no such`),
      };
      const ways: Parameters<typeof onto>[] = [
        [theirs, {}, `FROM ${theirs}\n`],
        [theirs, {}, `FROM base\nCOPY --from=${theirs} /app /app\n`],
        [theirs, { variables: { BASE: theirs } }, "ARG BASE=base\nFROM $BASE\n"],
      ];
      for (const way of ways) expect((await onto(...way)).status).toMatchObject(refused);
      const planned = await aBuild(under, ["true"]);
      const { plan } = planned.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
      plan.steps[0]!.inputs[0] = { image: theirs };
      expect((await built(under.builds, planned)).status).toMatchObject(refused);

      const { projectId, serviceId } = other;
      const own = await aBuild(under, ["cat theirs.txt > mine.txt"], { projectId, serviceId });
      const mine = (own.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>).plan;
      mine.steps[0]!.inputs[0] = { image: theirs };
      expect(await under.fileOf(await imageOf(under.builds, own), "mine.txt")).toBe("theirs\n");
    });

    test("keeps a long log whole and in order", async () => {
      const count = 3_000;
      const spec = await aBuild(under, [`i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; done`]);
      const { log } = await built(under.builds, spec);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
      const said = log.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
      expect(said).toEqual(Array.from({ length: count }, (_, i) => `line ${i + 1}`));
    });

    test("stays cancelled: two cancels at once, another one later, and a second submission change nothing", async () => {
      const spec = await aBuild(under, ["echo ready; sleep 604"]);
      await under.builds.submitBuild(spec);
      await Promise.all([under.builds.cancelBuild(spec), under.builds.cancelBuild(spec)]);
      await under.builds.cancelBuild(spec);
      await under.builds.submitBuild(spec);
      expect(await under.builds.getBuildStatus(spec)).toEqual({ state: "cancelled" });
      expect(await under.imagesOf(spec)).toEqual([]);
    });

    test("shows secrets to the commands and to nobody else", async () => {
      const secret = `hush-${randomUUID()}`;
      const spec = await aBuild(
        under,
        [
          'test -n "$TOKEN" && echo the token is $TOKEN.',
          "echo ${#TOKEN} > length.txt",
          "echo $TOKEN >&2; exit $FAIL",
        ],
        {
          variables: { TOKEN: secret, FAIL: "0" },
          secretNames: ["TOKEN"],
        },
      );
      const good = await built(under.builds, spec);
      expect(good.status).toMatchObject({ state: "succeeded" });
      expect(good.text).toContain("the token is [TOKEN].");
      expect(good.text).not.toContain(secret);
      if (good.status.state !== "succeeded") return;
      expect(await under.fileOf(good.status.image, "length.txt")).toBe(`${secret.length}\n`);
      expect(await under.imageHolds(good.status.image, secret)).toBe(false);

      const bad = await built(under.builds, {
        ...spec,
        buildId: randomUUID(),
        variables: { TOKEN: secret, FAIL: "3" },
      });
      expect(bad.status).toMatchObject({ state: "failed" });
      expect(JSON.stringify(bad)).not.toContain(secret);
    });
  });
}
