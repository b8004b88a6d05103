import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BuildReport } from "@starform/contract/builds";
import { componentsApart, openPlannerApart, planApart } from "@starform/build-plan/plan-apart";
import { buildAllowances, Plan } from "@starform/contract/plans";
import { ServiceSettings } from "@starform/contract/services";
import { systemClock } from "@starform/std/clock";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { folderWorkDirs } from "../src/adapters/sources/work-dirs.ts";
import type { BuildDocument } from "../src/core/builds/documents/build-document.ts";
import type { BuildWork, DeploymentProgress, SourceStore } from "../src/core/builds/ports.ts";
import { runBuild } from "../src/core/builds/run-build.ts";
import type { BuildService, BuildSpec } from "../src/ports/build-service.ts";
import { inPieces, tarOf } from "./tar-file.ts";
import { openProcessBuilder, type ProcessBuilderUnderTest } from "./process-builder.ts";

let dir: string;
let under: ProcessBuilderUnderTest;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "run-build-"));
  under = await openProcessBuilder();
});
afterAll(async () => {
  await under?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const endlessThread = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", () => {
    parentPort.postMessage({ kind: "reading", file: "package.json" });
    for (;;);
  });
  parentPort.postMessage({ kind: "ready" });
`;
const builder = { id: "https://starform.test/builders/process", starformVersion: "0.1.0" };
type Finished = Parameters<DeploymentProgress["finishBuild"]>[1];

/** A deployment of a folder with these files, and all that its build said. */
async function aDeployment(
  files: Record<string, string>,
  more: Partial<BuildWork> = {},
  {
    plan = planApart,
    faults = {},
    builds = under.builds,
  }: { plan?: typeof planApart; faults?: Partial<SourceStore>; builds?: BuildService } = {},
) {
  const sources = folderSourceStore({
    gitDir: path.join(dir, "git"),
    sourcesDir: path.join(dir, "sources"),
    isFileAllowed: true,
  });
  const serviceId = randomUUID();
  const packed = tarOf(Object.entries(files).map(([name, text]) => ({ name, text })));
  const { sourceId } = await sources.saveUpload(serviceId, inPieces(packed));
  const work: BuildWork = {
    deploymentId: randomUUID(),
    buildId: randomUUID(),
    workspaceId: randomUUID(),
    projectId: randomUUID(),
    serviceId,
    serviceName: "web",
    environment: "production",
    source: { kind: "upload", sourceId },
    settings: ServiceSettings.parse({}),
    variables: {},
    secretNames: [],
    noCache: false,
    plan: "hobby",
    ...more,
  };
  const stages: string[] = [];
  const said: { seq: number; text: string }[] = [];
  const seen: {
    finished?: Finished;
    failed?: string;
    report?: BuildReport;
    documents?: readonly BuildDocument[];
  } = {};
  const progress: DeploymentProgress = {
    beginBuild: async (id) => (id === work.deploymentId && !seen.finished ? work : undefined),
    beginStage: async (_id, stage) => void stages.push(`${stage} begins`),
    endStage: async (_id, stage, outcome) => void stages.push(`${stage} ${outcome}`),
    setCommit: async () => undefined,
    keepDocuments: async (_id, documents) => void (seen.documents = documents),
    keepReport: async (_id, report) => void (seen.report = report),
    finishBuild: async (_id, built) => void (seen.finished = built),
    failBuild: async (_id, reason) => void (seen.failed = reason),
  };
  const workDir = path.join(dir, "work");
  const run = runBuild({
    progress,
    sources: { ...sources, ...faults },
    builds,
    log: { line: (_work, { seq, text }) => void said.push({ seq, text }) },
    plan,
    components: componentsApart,
    builder,
    attach: async () => "and nowhere else",
    workDirs: folderWorkDirs(workDir),
    clock: systemClock,
  });
  return {
    work,
    stages,
    seen,
    said,
    text: () => said.map(({ text }) => text).join("\n"),
    run: (signal: AbortSignal = new AbortController().signal) => run(work.deploymentId, signal),
    leftovers: () => readdir(workDir),
  };
}

/** Built without npm, which needs seconds to start on a busy machine. */
const app = { "start.sh": "node index.js", "index.js": "1" };
const builtBy = (buildCommand: string) => ({ settings: ServiceSettings.parse({ buildCommand }) });

describe("a build", () => {
  test.each(Plan.options)("may use what the plan %s of its workspace grants, and no more", async (plan) => {
    const given: BuildSpec[] = [];
    const builds: BuildService = {
      ...under.builds,
      submitBuild: (spec) => (given.push(spec), under.builds.submitBuild(spec)),
    };
    const { run, seen } = await aDeployment(app, { plan }, { builds });
    await run();
    expect(seen.finished).toBeDefined();
    const { atOnceMax: _, ...granted } = buildAllowances[plan];
    expect(given.map(({ limits }) => limits)).toEqual([granted]);
  });

  test("fails with a reason that can be kept, whatever its commands print", async () => {
    const builds: BuildService = {
      ...under.builds,
      getBuildStatus: async () => ({ state: "failed", reason: "it said a\0b and \ud800" }),
    };
    const { run, seen } = await aDeployment(app, {}, { builds });
    await run();
    expect(seen.failed).toBe("it said ab and \ufffd");
  });

  test("that meets a full disk fails at once with the way out, and is not tried again", async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const deployment = await aDeployment(app, {}, { faults: { checkOut: () => Promise.reject(full) } });
    await deployment.run();
    expect(deployment.seen.failed).toMatch(/disk of the machine that builds is full: free some space/);
    expect(deployment.stages).toEqual(["clone begins", "clone failed"]);
    expect(await deployment.leftovers()).toEqual([]);
  });

  test("goes from the source to the image, tells why it does what it does, and leaves nothing lying about", async () => {
    const deployment = await aDeployment(app, builtBy("echo building"));
    await deployment.run();
    expect(deployment.stages).toEqual([
      "clone begins",
      "clone succeeded",
      "build begins",
      "build succeeded",
      "push begins",
      "push succeeded",
    ]);
    expect(deployment.text()).toContain("because there is a start.sh");
    expect(deployment.text()).toContain("building");
    expect(deployment.said.map(({ seq }) => seq)).toEqual(deployment.said.map((_, i) => i + 1));
    expect(deployment.seen.finished).toMatchObject({
      imageDigest: expect.stringMatching(/^sha256:/),
      info: { providers: ["shell"] },
      fileSettings: {},
    });
    expect(deployment.seen.report).toMatchObject({
      stages: ["clone", "build", "push"].map((name) => ({ name, durationMs: expect.any(Number) })),
      steps: [{ name: "build", outcome: "done", durationMs: expect.any(Number) }],
      imageBytes: expect.any(Number),
    });
    expect(deployment.seen.report).not.toHaveProperty("sentBytes");
    expect(await deployment.leftovers()).toEqual([]);
    const { finished } = deployment.seen;
    await deployment.run();
    expect(deployment.seen.finished).toBe(finished);
  });

  test("is in the stage in which its image is put where it is kept as soon as its builder says so", async () => {
    const [stages, atEnd] = [[] as string[], [] as string[]];
    const builds: BuildService = {
      ...under.builds,
      async *streamLogs(handle, signal) {
        for await (const line of under.builds.streamLogs(handle, signal)) {
          yield line;
          if (line.begins) stages.push(...deployment.stages);
        }
        atEnd.push(...deployment.stages);
      },
      getBuildStatus: async () => ({ state: "failed", reason: "the registry is full" }),
    };
    const deployment = await aDeployment(app, {}, { builds });
    await deployment.run();
    expect(stages.slice(-3)).toEqual(["build begins", "build succeeded", "push begins"]);
    expect(atEnd).toEqual(stages);
    expect(deployment.stages.slice(-2)).toEqual(["push begins", "push failed"]);
    expect(deployment.seen).toMatchObject({
      failed: "the registry is full",
      report: { stages: ["clone", "build", "push"].map((name) => ({ name })) },
    });
  });

  test("says of its image what it is made of and how it came to be, and no secret", async () => {
    const secret = "hush-and-tell-nobody";
    const lock = { lockfileVersion: 3, packages: { "node_modules/ms": { version: "2.1.3" } } };
    const deployment = await aDeployment(
      { ...app, "package-lock.json": JSON.stringify(lock) },
      { ...builtBy(`echo ${secret}`), variables: { TOKEN: secret, COLOUR: "blue" }, secretNames: ["TOKEN"] },
    );
    await deployment.run();
    const [sbom, provenance] = deployment.seen.documents ?? [];
    const { imageDigest } = deployment.seen.finished!;
    expect(sbom?.text).toContain('"pkg:npm/ms@2.1.3"');
    expect(JSON.parse(provenance!.text)).toMatchObject({
      subject: [{ digest: { sha256: imageDigest.slice(7) } }],
      predicate: {
        buildDefinition: { externalParameters: { variables: ["COLOUR", "TOKEN"] } },
        runDetails: { builder: { id: builder.id }, metadata: { invocationId: deployment.work.buildId } },
      },
    });
    expect(`${sbom?.text}${provenance?.text}`).not.toContain(secret);
    expect(deployment.text()).toContain(
      "component list and provenance are kept with the build; and nowhere else",
    );
  });

  test("takes the settings of starform.json over the stored ones, and an environment's over the file's", async () => {
    const starform = {
      startCommand: "node file.js",
      buildCommand: "echo built by the file",
      replicas: 2,
      builder: "railpack",
      environments: { production: { replicas: 3, cron: "0 3 * * *" } },
    };
    const files = { ...app, Dockerfile: "FROM scratch", "starform.json": JSON.stringify(starform) };
    const deployment = await aDeployment(files, {
      settings: ServiceSettings.parse({ startCommand: "node stored.js", tier: "nova" }),
    });
    await deployment.run();
    expect(deployment.text()).toContain("built by the file");
    expect(deployment.text()).toContain("starform.json sets");
    expect(deployment.seen.finished?.fileSettings).toEqual({
      startCommand: "node file.js",
      buildCommand: "echo built by the file",
      replicas: 3,
      builder: "plan",
      schedule: "0 3 * * *",
    });
    const config = JSON.parse(await under.fileOf(deployment.seen.finished!.image, "../config.json")) as {
      cmd: string;
    };
    expect(config.cmd).toBe("node file.js");
  });

  test("builds the folder that is the service's own", async () => {
    const files = {
      "README.md": "",
      ...Object.fromEntries(Object.entries(app).map(([name, text]) => [`apps/web/${name}`, text])),
    };
    const deployment = await aDeployment(files, {
      settings: ServiceSettings.parse({ rootDirectory: "apps/web" }),
    });
    await deployment.run();
    expect(await under.fileOf(deployment.seen.finished!.image, "index.js")).toBe("1");
    expect(deployment.seen.finished?.fileSettings).toEqual({});
  });

  test.each([
    [
      "a wrong starform.json",
      { ...app, "starform.json": '{"buildComand":"x"}' },
      /buildComand is not a key here; did you mean buildCommand\?/,
    ],
    ["a source without an app", { "notes.md": "" }, /no app was found in the source/],
    ["an empty source", {}, /the source is empty/],
    [
      "a command that fails",
      { ...app, "starform.json": '{"buildCommand":"exit 3"}' },
      /the step "build" failed/,
    ],
    ["a Dockerfile where there are no containers", { Dockerfile: "FROM scratch" }, /--runtime docker/],
  ])("fails with a sentence for %s, and the job ends well", async (_what, files, says) => {
    const deployment = await aDeployment(files);
    await deployment.run();
    expect(deployment.seen.failed).toMatch(says);
    expect(deployment.stages.at(-1)).toBe("build failed");
    expect(deployment.seen.finished).toBeUndefined();
    expect(await deployment.leftovers()).toEqual([]);
  });

  test("fails in its clone when the source is not there any more", async () => {
    const deployment = await aDeployment(app, { source: { kind: "upload", sourceId: "0".repeat(64) } });
    await deployment.run();
    expect(deployment.seen.failed).toContain("send the folder again");
    expect(deployment.stages).toEqual(["clone begins", "clone failed"]);
  });

  test("stops when it is told to, says nothing more, and leaves nothing running", async () => {
    const mark = `sleep 6${Date.now() % 1_000_000}`;
    const deployment = await aDeployment(app, builtBy(`echo ready; ${mark}`));
    const stop = new AbortController();
    const running = deployment.run(stop.signal);
    await until("it builds", () => deployment.text().includes("\nready"));
    stop.abort();
    await running;
    const { report, ...others } = deployment.seen;
    expect(others).toEqual({});
    expect(report?.stages.map(({ name }) => name)).toEqual(["clone", "build"]);
    expect(await under.isRunning(mark)).toBe(false);
    expect(await under.builds.getBuildStatus(deployment.work)).toEqual({ state: "cancelled" });
    expect(existsSync(path.join(dir, "work", deployment.work.buildId))).toBe(false);
  });

  test("stops while its source is being read, whatever the source does to its reader", async () => {
    // A reader that never ends, in the place of a source that nobody has thought of.
    const endless = new URL(`data:text/javascript,${encodeURIComponent(endlessThread)}`);
    const limits = { cpuMsMax: 60_000, wallMsMax: 60_000, heapMbMax: 64 };
    const { plan } = openPlannerApart(limits, endless);
    const begun = Promise.withResolvers<void>();
    const deployment = await aDeployment(
      app,
      {},
      {
        plan: (...asked) => {
          begun.resolve();
          return plan(...asked);
        },
      },
    );
    const stop = new AbortController();
    const running = deployment.run(stop.signal);
    await begun.promise;
    stop.abort();
    await running;
    expect(deployment.seen.failed).toBeUndefined();
    expect(deployment.stages).toEqual(["clone begins", "clone succeeded", "build begins"]);
    expect(existsSync(path.join(dir, "work", deployment.work.buildId))).toBe(false);
  });

  test("fails with the file that was too much for its reader", async () => {
    const limits = { cpuMsMax: 20, wallMsMax: 60_000, heapMbMax: 64 };
    const { plan } = openPlannerApart(
      limits,
      new URL(`data:text/javascript,${encodeURIComponent(endlessThread)}`),
    );
    const deployment = await aDeployment(app, {}, { plan });
    await deployment.run();
    expect(deployment.seen.failed).toContain("the last file read was package.json");
  });

  test("is tried again when the platform fails, not the source", async () => {
    const broken = await aDeployment(app);
    await expect(
      runBuild({
        progress: {
          ...({} as DeploymentProgress),
          beginBuild: async () => broken.work,
          beginStage: () => Promise.reject(new Error("the database is away")),
          keepReport: () => Promise.reject(new Error("the database is away as well")),
        },
        sources: folderSourceStore({
          gitDir: path.join(dir, "git"),
          sourcesDir: path.join(dir, "sources"),
          isFileAllowed: true,
        }),
        builds: under.builds,
        log: { line: () => undefined },
        plan: planApart,
        components: componentsApart,
        builder,
        attach: async () => undefined,
        workDirs: folderWorkDirs(path.join(dir, "work")),
        clock: systemClock,
      })(broken.work.deploymentId, new AbortController().signal),
    ).rejects.toThrow("the database is away");
  });
});
