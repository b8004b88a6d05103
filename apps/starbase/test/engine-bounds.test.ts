import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { buildAllowances } from "@starform/contract/plans";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { hasWayOut } from "@starform/testkit/way-out";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildLimits, BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built, type BuilderUnderTest } from "./a-build.ts";
import { openBuildkitBuilder } from "./buildkit-builder.ts";

describe.skipIf(!requireEngineInCi())(
  "a build in an engine of our own ends with the limit it met",
  { timeout: 120_000 },
  () => {
    let under: BuilderUnderTest;
    beforeAll(async () => {
      under = await openBuildkitBuilder();
    });
    afterAll(() => under?.[Symbol.asyncDispose]());

    async function endOf(limits: Partial<BuildLimits>, command: string): Promise<string> {
      const spec = await aBuild(under, [command], { limits: { ...buildAllowances.hobby, ...limits } });
      const { status } = await built(under.builds, spec);
      expect(status.state !== "failed" || hasWayOut(status.reason.split("\n")[0]!)).toBe(true);
      return status.state === "failed" ? status.reason : status.state;
    }
    const eatsMemory = "node -e 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))'";
    const forksWithoutEnd = "f() { f | f & }; f; sleep 600";

    test("one that eats memory", async () => {
      expect(await endOf({ memoryBytesMax: 100 * 2 ** 20 }, eatsMemory)).toContain(
        "ran out of memory: a build may use 100 MiB",
      );
    });

    test("one that forks without end, while another builds beside it", async () => {
      const [bomb, good] = await Promise.all([
        endOf({ processesMax: 60 }, forksWithoutEnd),
        endOf({ processesMax: 60 }, "for i in 1 2 3 4 5 6 7 8 9 10; do sh -c 'sleep 0.3'; done"),
      ]);
      expect(bomb).toContain("more than 60 processes");
      expect(good).toBe("succeeded");
    });

    test("one that fills the disk", async () => {
      expect(
        await endOf(
          { diskBytesMax: 40 * 2 ** 20 },
          "while true; do head -c 20000000 /dev/zero >> fill; sleep 0.1; done",
        ),
      ).toContain("wrote more than 40 MiB to disk");
    });

    /** Two builds at once: what each came to, and what it said. */
    const sideBySide = async (...both: [limits: Partial<BuildLimits>, command: string][]) => {
      const specs = await Promise.all(
        both.map(([limits, command]) =>
          aBuild(under, [command], { limits: { ...buildAllowances.hobby, ...limits } }),
        ),
      );
      await Promise.all(specs.map((spec) => under.builds.submitBuild(spec)));
      const ends = await Promise.all(specs.map((spec) => built(under.builds, spec)));
      return ends.map(({ status, text }) => ({
        text,
        came: status.state === "failed" ? status.reason.split("\n")[0]! : status.state,
      }));
    };
    const quota = "echo quota $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null)";
    const starts = (many: number) => `i=0; while [ $i -lt ${many} ]; do i=$((i+1)); sleep 3 & done; wait`;
    const holds = (mib: number) =>
      `node -e 'let all = []; for (let i = 0; i < ${mib}; i += 10) { all.push(Buffer.alloc(10 * 2 ** 20, 1)); console.log("held " + all.length * 10); } setTimeout(() => {}, 4000)'`;

    test("one that eats memory ends at its own limit, and what another dies of meanwhile is its own affair", async () => {
      const [small, large] = await sideBySide(
        [{ memoryBytesMax: 100 * 2 ** 20 }, holds(300)],
        [{ memoryBytesMax: 400 * 2 ** 20 }, `${holds(200)}; kill -9 $$`],
      );
      expect(small!.came).toContain("ran out of memory: a build may use 100 MiB");
      expect(small!.text).not.toContain("held 110");
      expect(large!.text).toContain("held 200");
      expect(large!.came).toMatch(/failed.* 137/);
      expect(large!.came).not.toContain("ran out of memory");
    });

    test("each has the processes and the processor time of its own plan", async () => {
      const [few, many] = await sideBySide(
        [{ processesMax: 60, cpuMillisMax: 400 }, `${quota}; ${starts(80)}`],
        [{ processesMax: 200, cpuMillisMax: 800 }, `${quota}; ${starts(80)}`],
      );
      expect(few!.came).toContain("more than 60 processes");
      expect(few!.text).toContain("quota 40000");
      expect(many!.came).toBe("succeeded");
      expect(many!.text).toContain("quota 80000");
    });

    test.each([
      ["memory", { memoryBytesMax: 200 * 2 ** 20 }, () => holds(130), "may use 200 MiB"],
      ["processes", { processesMax: 100 }, () => starts(70), "more than 100 processes"],
    ])("what steps that run at once use counts together: %s", async (_, limits, command, reason) => {
      const spec = await aBuild(under, [command()], { limits: { ...buildAllowances.hobby, ...limits } });
      const { plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
      const alone = await built(under.builds, spec);
      expect(alone.status.state).toBe("succeeded");
      const [first] = plan.steps;
      const cmd = `sh -c ': twice; ${command().replaceAll("'", `'\\''`)}'`;
      plan.steps.push({ ...first!, name: "beside", commands: [{ cmd, customName: "beside" }] });
      plan.steps[0] = { ...first!, commands: [{ cmd: `${cmd} twice`, customName: "first" }] };
      plan.deploy.inputs!.push({ step: "beside", include: ["."] });
      // Beside one that leaves all of them together room enough.
      const large = await aBuild(under, ["echo begun; sleep 600"]);
      await under.builds.submitBuild(large);
      for await (const { text } of under.builds.streamLogs(large, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
      const { status } = await built(under.builds, { ...spec, buildId: randomUUID() });
      expect(status.state === "failed" ? status.reason : status.state).toContain(reason);
      expect((await under.builds.getBuildStatus(large)).state).toBe("running");
      await under.builds.cancelBuild(large);
    });

    test("what another Worker's build may use stays what it is while this one builds", async () => {
      const limits = (cpuMillisMax: number) => ({ limits: { ...buildAllowances.hobby, cpuMillisMax } });
      const theirs = await aBuild(under, [`echo begun; sleep 6; ${quota}`], limits(800));
      await under.another.submitBuild(theirs);
      for await (const { text } of under.another.streamLogs(theirs, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
      const ours = await built(under.builds, await aBuild(under, [quota], limits(1_600)));
      expect(ours.text).toContain("quota 160000");
      expect((await built(under.another, theirs)).text).toContain("quota 80000");
    });

    test("one that writes too much ends, and who builds beside it is not charged with that", async () => {
      const [fills, good] = await sideBySide(
        [
          { diskBytesMax: 40 * 2 ** 20 },
          "while true; do head -c 20000000 /dev/zero >> fill; sleep 0.1; done",
        ],
        [{ diskBytesMax: 40 * 2 ** 20 }, "head -c 20000000 /dev/zero > some; sleep 6"],
      );
      expect(fills!.came).toContain("wrote more than 40 MiB to disk");
      expect(good!.came).toBe("succeeded");
    });

    test("what a build adds to a cache that was there before it is its own", async () => {
      const [projectId, workspaceId] = [randomUUID(), randomUUID()];
      const limits = { ...buildAllowances.hobby, diskBytesMax: 40 * 2 ** 20 };
      const withCache = async (command: string) => {
        const spec = await aBuild(under, [command], { limits, projectId, workspaceId });
        const { plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
        plan.caches = { kept: { directory: "/kept", type: "shared" } };
        plan.steps[0]!.caches = ["kept"];
        const { status } = await built(under.builds, spec);
        return status.state === "failed" ? status.reason : status.state;
      };
      const adds = (file: string) =>
        `head -c 20000000 /dev/zero > /kept/${file}; head -c 5000000 /dev/zero > x; sleep 2`;
      for (const file of ["one", "two", "three"]) expect(await withCache(adds(file))).toBe("succeeded");
      expect(
        await withCache("while true; do head -c 20000000 /dev/zero >> /kept/fill; sleep 0.1; done"),
      ).toContain("wrote more than 40 MiB to disk");
    });

    test.each(["a file of its own", "a cache of its own"])(
      "one whose step would hide which build it is of by %s at /etc/hosts is not built",
      async (what) => {
        const spec = await aBuild(under, ["echo hidden"], { files: { hosts: "127.0.0.1 localhost\n" } });
        const { info, plan } = spec.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
        plan.caches = { hosts: { directory: "/etc/hosts", type: "shared" } };
        plan.steps[0]!.caches = ["hosts"];
        const dockerfile = "FROM base\nRUN --mount=source=hosts,target=/etc/hosts echo hidden\n";
        await writeFile(path.join(spec.contextDir, "Dockerfile"), dockerfile);
        const outcome = { ok: true, kind: "dockerfile", path: "Dockerfile", info } as const;
        const { status, text } = await built(under.builds, {
          ...spec,
          ...(what === "a file of its own" && { outcome }),
        });
        expect(status).toMatchObject({
          state: "failed",
          reason: expect.stringMatching(/echo hidden" mounts something at \/etc\/hosts.*another path/),
        });
        expect(text.split("\n")).not.toContain("hidden");
      },
    );

    test("one that keeps within its limits after all of them", async () => {
      expect(
        await endOf({ memoryBytesMax: 300 * 2 ** 20, processesMax: 60 }, "node -e 'console.log(1)'"),
      ).toBe("succeeded");
    });
  },
);
