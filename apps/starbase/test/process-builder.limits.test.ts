import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { planSource } from "@starform/build-plan/plan-source";
import { buildAllowances } from "@starform/contract/plans";
import { until } from "@starform/std/retry";
import { hasWayOut } from "@starform/testkit/way-out";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageStore } from "../src/adapters/process-builder/image-store.ts";
import { machineLimits, type BuildLimits } from "../src/adapters/process-builder/build-limits.ts";
import { openCgroup } from "../src/adapters/process-builder/cgroup.ts";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built, imageOf } from "./a-build.ts";
import { machineAllows, openProcessBuilder, type ProcessBuilderUnderTest } from "./process-builder.ts";

const run = promisify(execFile);
const allows = await machineAllows();

/** A build under limits that are quickly reached (its plan's, or the builder's own), and how it ended. */
async function endOf({ silenceMs, logBytesMax, ...plan }: Partial<BuildLimits>, command: string) {
  const own = { ...(silenceMs && { silenceMs }), ...(logBytesMax && { logBytesMax }) };
  await using under = await openProcessBuilder(own);
  const limits = { ...buildAllowances.hobby, ...plan };
  const { status, text, log } = await built(under.builds, await aBuild(under, [command], { limits }));
  expect(status.state !== "failed" || hasWayOut(status.reason.split("\n")[0]!)).toBe(true);
  return { reason: status.state === "failed" ? status.reason : status.state, text, log };
}

describe("a build that takes more than its share ends with the limit it met", () => {
  test("one that runs too long", async () => {
    expect(
      (await endOf({ wallClockMs: 1_000 }, "while true; do echo busy; sleep 0.1; done")).reason,
    ).toContain("took longer than 1.0 s");
  });

  test("one that hangs", async () => {
    expect((await endOf({ silenceMs: 1_000 }, "sleep 600")).reason).toContain("printed nothing for 1.0 s");
  });

  test.skipIf(!allows.cgroups)("one that forks without end", async () => {
    const { reason } = await endOf({ processesMax: 60 }, "f() { f | f & }; f; sleep 600");
    expect(reason).toContain("more than 60 processes");
  });

  test.skipIf(!allows.cgroups)("one that eats memory", async () => {
    const { reason } = await endOf(
      { memoryBytesMax: 100 * 2 ** 20 },
      "node -e 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))'",
    );
    expect(reason).toContain("ran out of memory: a build may use 100 MiB");
  });

  test("one that fills the disk", async () => {
    const { reason } = await endOf(
      { diskBytesMax: 40 * 2 ** 20 },
      "while true; do head -c 20000000 /dev/zero >> /tmp/fill; sleep 0.1; done",
    );
    expect(reason).toContain("wrote more than 40 MiB to disk");
  });

  test.skipIf(!allows.cgroups)("one that takes all processors gets its share of them", async () => {
    const name = `test-${randomUUID()}`;
    const cgroup = openCgroup(name, { ...machineLimits(), cpuMillisMax: 300 });
    const files = cgroup?.joinFiles ?? [];
    const spin = ["-c", 'for f in "$@"; do echo 0 > "$f"; done; while :; do :; done', "sh", ...files];
    const child = spawn("/bin/sh", spin, { stdio: "ignore" });
    try {
      const stats = files
        .map((file) => path.join(path.dirname(file), "cpu.stat"))
        .filter((file) => existsSync(file));
      expect(stats).not.toEqual([]);
      const isThrottled = async () =>
        (await Promise.all(stats.map((file) => readFile(file, "utf8")))).some((text) =>
          /nr_throttled [1-9]/.test(text),
        );
      await until("the kernel holds it back", isThrottled);
    } finally {
      child.kill("SIGKILL");
      await cgroup?.remove();
    }
  });

  test.skipIf(!allows.cgroups)("each has the processor time of its own plan", async () => {
    await using under = await openProcessBuilder();
    const specs = await Promise.all(
      [400, 800].map((cpuMillisMax) =>
        aBuild(under, ["echo begun; sleep 600"], { limits: { ...buildAllowances.hobby, cpuMillisMax } }),
      ),
    );
    for (const spec of specs) {
      await under.builds.submitBuild(spec);
      for await (const { text } of under.builds.streamLogs(spec, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
    }
    const quotas = await Promise.all(
      specs.map(async ({ buildId }) => {
        const { stdout } = await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", `*${buildId}`]);
        const files = stdout
          .split("\n")
          .flatMap((folder) => ["cpu.cfs_quota_us", "cpu.max"].map((name) => path.join(folder, name)));
        const texts = files.filter((file) => existsSync(file)).map((file) => readFile(file, "utf8"));
        return (await Promise.all(texts)).map((text) => Number.parseInt(text, 10));
      }),
    );
    expect(quotas).toEqual([[40_000], [80_000]]);
    await Promise.all(specs.map((spec) => under.builds.cancelBuild(spec)));
  });

  test("one that prints without end is cut short in the log, and can still end well", async () => {
    const { reason, log, text } = await endOf(
      { logBytesMax: 100_000 },
      "head -c 30000000 /dev/zero | tr '\\0' x | fold -w 100; echo the end",
    );
    expect(reason).toBe("succeeded");
    expect(text).toContain("the log is full (97.7 KiB): further output is left out");
    expect(text).toMatch(/28\.\d MiB of output were left out of this log/);
    expect(log.length).toBeLessThan(1_100);
  });
});

describe("the process builder", () => {
  let under: ProcessBuilderUnderTest;
  beforeAll(async () => {
    under = await openProcessBuilder();
  });
  afterAll(() => under?.[Symbol.asyncDispose]());

  test.skipIf(!allows.sandbox)(
    "shows a build neither the platform's files nor the machine's users, and runs it as nobody of them",
    async () => {
      const spec = await aBuild(under, [
        `ls ${under.cacheDir} ${under.imagesDir} 2>&1 || echo nothing there`,
        "cat /etc/shadow 2>&1 || echo no shadow",
        "touch /usr/bin/evil 2>&1 || echo read-only",
        "id -u; tr '\\0' '\\n' < /proc/1/environ | head; ps -e 2>/dev/null | wc -l; hostname",
      ]);
      const { text } = await built(under.builds, spec);
      expect(text).toContain("nothing there");
      expect(text).toContain("no shadow");
      expect(text).toContain("read-only");
      expect(text).toContain("\nbuild");
      expect(text).toContain(`\n${process.getuid?.() === 0 ? 64_321 : process.getuid?.()}\n`);
    },
  );

  test("never writes through a link that a build left behind", async () => {
    const victim = path.join(under.dir, "victim.txt");
    await writeFile(victim, "untouched");
    const spec = await aBuild(under, [`rm app.txt; ln -s ${victim} app.txt`]);
    const { plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
    plan.steps.push({
      ...plan.steps[0]!,
      name: "again",
      inputs: [{ step: "build" }, { local: true, include: ["."] }],
      commands: [],
    });
    plan.deploy.inputs = [{ step: "again", include: ["."] }];
    expect((await built(under.builds, spec)).status).toMatchObject({ state: "succeeded" });
    expect(await readFile(victim, "utf8")).toBe("untouched");
  });

  test("refuses to copy what a link of the source leads to outside of it", async () => {
    const spec = await aBuild(under, ["true"]);
    await symlink("/etc", path.join(spec.contextDir, "out"));
    const { plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
    plan.steps[0]!.commands = [{ src: "out/hostname", dest: "stolen" }];
    expect((await built(under.builds, spec)).status).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("leads out of the app's folder"),
    });
  });

  test("takes an unchanged source from the earlier build, whoever asks", async () => {
    const first = await aBuild(under, ["date +%N > now.txt"]);
    const image = await imageOf(under.builds, first);
    const again = await built(under.builds, { ...first, buildId: randomUUID() });
    expect(again.text).toContain(`cached: same source, settings and variables as build ${first.buildId}`);
    expect(again.status).toMatchObject({ state: "succeeded", image });
    const other = await imageOf(under.builds, { ...first, buildId: randomUUID(), variables: { A: "1" } });
    expect(other).not.toBe(image);
    expect(await imageOf(under.builds, { ...first, buildId: randomUUID(), noCache: true })).not.toBe(image);
  });

  test("installs again only when the lock file changes, and shares caches between the builds of a project", async () => {
    const files = { "package.json": '{"name":"a"}', "index.js": "1" };
    const commands = [
      "echo installed >> installed.txt; echo kept >> /root/.npm/kept.txt; wc -l < /root/.npm/kept.txt",
    ];
    const base = { projectId: randomUUID(), serviceId: randomUUID() };
    const build = async (changed: Record<string, string>) => {
      const spec = await aBuild(under, commands, { ...base, files: { ...files, ...changed } });
      const { plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
      const [step] = plan.steps;
      plan.caches["npm"] = { directory: "/root/.npm", type: "shared" };
      plan.steps.splice(0, 1,
        { ...step!, name: "install", inputs: [{ image: "base" }], caches: ["npm"], commands: [{ src: "package.json", dest: "package.json" }, ...step!.commands] },
        { ...step!, inputs: [{ step: "install" }, { local: true, include: ["."] }], commands: [] },
      ); // prettier-ignore
      return built(under.builds, spec);
    };
    const first = await build({});
    const changedCode = await build({ "index.js": "2" });
    const changedLock = await build({ "package.json": '{"name":"b"}' });
    expect(first.log.filter(({ stream }) => stream === "stdout").map(({ text }) => text.trim())).toEqual([
      "1",
    ]);
    expect(changedCode.text).toContain('cached: nothing that "install" depends on has changed');
    expect(
      changedLock.log.filter(({ stream }) => stream === "stdout").map(({ text }) => text.trim()),
    ).toEqual(["2"]);
    if (changedCode.status.state !== "succeeded") throw new Error("did not succeed");
    expect(await under.fileOf(changedCode.status.image, "installed.txt")).toBe("installed\n");
    expect(await under.fileOf(changedCode.status.image, "index.js")).toBe("2");
  });

  test("builds and describes a Node app by its plan, with this machine's Node", async () => {
    const contextDir = path.join(under.dir, randomUUID());
    await mkdir(path.join(contextDir, "node_modules"), { recursive: true });
    await writeFile(path.join(contextDir, "node_modules", "left-out.js"), "");
    await writeFile(
      path.join(contextDir, "package.json"),
      JSON.stringify({
        name: "app",
        engines: { node: "20" },
        scripts: { build: "node build.js", start: "node out.js" },
      }),
    );
    await writeFile(
      path.join(contextDir, "build.js"),
      'require("fs").writeFileSync("out.js", "// " + process.version)',
    );
    const outcome = await planSource(contextDir);
    if (!outcome.ok) throw new Error(outcome.error.message);
    const spec: BuildSpec = { ...(await aBuild(under, [])), contextDir, outcome };
    const { status, text } = await built(under.builds, spec);
    expect(text).toContain(
      `this machine's Node ${process.version.slice(1)} serves where the plan asks for 20`,
    );
    if (status.state !== "succeeded") throw new Error(text);
    expect(await under.fileOf(status.image, "out.js")).toBe(`// ${process.version}`);
    await expect(under.fileOf(status.image, "node_modules/left-out.js")).rejects.toThrow("ENOENT");
    const config = JSON.parse(await under.fileOf(status.image, "../config.json")) as unknown;
    expect(config).toMatchObject({
      cmd: "npm run start",
      workdir: "/app",
      env: { NODE_ENV: "production" },
      plan: { provider: "node" },
    });
  });

  test("says that a Dockerfile needs containers, and what to do", async () => {
    const spec = await aBuild(under, []);
    const info = { providers: [], versions: {}, decisions: [], rootDirectory: "." };
    const { status } = await built(under.builds, {
      ...spec,
      outcome: { ok: true, kind: "dockerfile", path: "Dockerfile", info },
    });
    expect(status).toMatchObject({ state: "failed", reason: expect.stringContaining("--runtime docker") });
  });

  test("says which language the machine lacks", async () => {
    const spec = await aBuild(under, ["true"]);
    const info = {
      providers: ["cobol"],
      versions: { cobol: { version: "2023", reason: "" } },
      decisions: [],
      rootDirectory: ".",
    };
    const { status } = await built(under.builds, {
      ...spec,
      outcome: { ...spec.outcome, info } as BuildSpec["outcome"],
    });
    expect(status).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("the plan asks for cobol 2023, which this machine does not have"),
    });
  });
});

test("an image whose process was killed before it had its name gets it from the next, once", async () => {
  await using under = await openProcessBuilder();
  const images = imageStore(path.join(under.dir, "store"));
  const owner = { buildId: randomUUID(), projectId: randomUUID(), serviceId: randomUUID() };
  const config = {
    cmd: "true",
    env: {},
    workdir: "/app",
    paths: [],
    ports: [],
    plan: { provider: "shell", versions: {} },
  } as const;
  const stage = async () => {
    const staged = await images.stage(owner.buildId);
    await writeFile(path.join(staged, "app", "a.txt"), "a");
    return staged;
  };
  const laidOut = { config, known: new Map() };
  const built = await images.commit(owner, await stage(), laidOut, "key", new AbortController().signal);
  const named = path.join(under.dir, "store", "sha256", built.imageDigest.slice(7));
  const staged = await stage();
  await writeFile(path.join(staged, "config.json"), "{}");
  await rm(named, { recursive: true });
  expect(await images.recordOf(owner.buildId)).toEqual(built);
  expect(await readFile(path.join(named, "app", "a.txt"), "utf8")).toBe("a");
});
