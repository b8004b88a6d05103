import { randomUUID } from "node:crypto";
import { buildAllowances } from "@starform/contract/plans";
import { until } from "@starform/std/retry";
import { hasWayOut } from "@starform/testkit/way-out";
import { expect, test } from "vitest";
import { aBuild, built, ended, imageIn, imageOf, logOf, type BuilderUnderTest } from "./a-build.ts";

/** How a build begins, ends, is cancelled, lost and taken over: it is built once, and ends once. */
export function buildsLive(under: () => BuilderUnderTest): void {
  test("builds once when it is submitted twice, and gives each reader every line in order", async () => {
    const spec = await aBuild(under(), ["for i in 1 2 3 4 5; do echo line $i; done; echo once >> count.txt"]);
    await Promise.all([under().builds.submitBuild(spec), under().builds.submitBuild(spec)]);
    const [first, second] = await Promise.all([logOf(under().builds, spec), logOf(under().builds, spec)]);
    await under().builds.submitBuild(spec);
    const third = await logOf(under().builds, spec);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i + 1));
    expect(first.filter(({ stream }) => stream === "stdout").map(({ text }) => text)).toEqual(
      [1, 2, 3, 4, 5].map((i) => `line ${i}`),
    );
    const [image, ...others] = await under().imagesOf(spec);
    expect(others).toEqual([]);
    expect(await under().fileOf(image!, "count.txt")).toBe("once\n");
  });

  test("ends a running build in under a second when it is cancelled, with nothing left running", async () => {
    const took: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const mark = `mark${randomUUID()}`;
      const spec = await aBuild(under(), [
        `echo ready; sh -c "sleep 600; echo ${mark}" & sleep 601; echo ${mark}`,
      ]);
      await under().builds.submitBuild(spec);
      for await (const { text } of under().builds.streamLogs(spec, AbortSignal.timeout(60_000)))
        if (text === "ready") break;
      const askedAt = performance.now();
      await under().builds.cancelBuild(spec);
      took.push(performance.now() - askedAt);
      expect(await under().builds.getBuildStatus(spec)).toEqual({ state: "cancelled" });
      expect(await under().isRunning(mark)).toBe(false);
      expect(await under().imagesOf(spec)).toEqual([]);
      await logOf(under().builds, spec);
    }
    expect(took.toSorted((one, other) => one - other)[2]).toBeLessThan(1_000);
  });

  test("ends a build that takes longer than its plan grants, and says which limits are not held here", async () => {
    const limits = { ...buildAllowances.hobby, wallClockMs: 3_000 };
    const mark = `mark${randomUUID()}`;
    const spec = await aBuild(under(), [`echo begun; sleep 606; echo ${mark}`], { limits });
    const { status, text } = await built(under().builds, spec);
    const reason = status.state === "failed" ? status.reason : status.state;
    expect(reason).toContain("took longer than 3.0 s");
    expect(reason).toSatisfy(hasWayOut);
    expect(/not bounded|NO LIMITS/.test(text)).toBe(!under().holdsLimits);
    await until("nothing of it runs any more", async () => !(await under().isRunning(mark)));
  });

  test("cancels a build that has only just been submitted, and leaves one that has ended as it is", async () => {
    const young = await aBuild(under(), ["sleep 602"]);
    await under().builds.submitBuild(young);
    await under().builds.cancelBuild(young);
    expect(await under().builds.getBuildStatus(young)).toEqual({ state: "cancelled" });

    const old = await aBuild(under(), ["true"]);
    const { status } = await built(under().builds, old);
    await under().builds.cancelBuild(old);
    expect(await under().builds.getBuildStatus(old)).toEqual(status);
    await under().builds.cancelBuild({ buildId: randomUUID(), workspaceId: old.workspaceId });
  });

  test("stops telling when the listener leaves, and builds on", async () => {
    const spec = await aBuild(under(), [
      "echo one; while [ ! -e /tmp/never ] && [ $((i=i+1)) -lt 8 ]; do sleep 0.1; done",
    ]);
    await under().builds.submitBuild(spec);
    const leave = new AbortController();
    const listening = (async () => {
      for await (const _ of under().builds.streamLogs(spec, leave.signal)) leave.abort();
    })();
    await expect(listening).rejects.toThrow(/abort/i);
    expect((await built(under().builds, spec)).status.state).toBe("succeeded");
  });

  test("a Worker killed in the middle of a build is seen to be by the one that waits, which builds it once", async () => {
    const mark = `mark${randomUUID()}`;
    const spec = await aBuild(
      under(),
      [
        `echo started; if [ -n "$HANG" ]; then sleep 4; echo last words; sleep 603; echo ${mark}; fi; date +%N > different-each-time.txt`,
      ],
      {
        variables: { HANG: "1" },
      },
    );
    const dying = under().killedAt(spec, "last words");
    const stateOf = async () => (await under().builds.getBuildStatus(spec)).state;
    await until("it is seen to run elsewhere", async () => (await stateOf()) === "running");
    await expect(under().builds.submitBuild(spec)).rejects.toThrow(/is running in/);
    // Told nothing, for the lines are the other's; its end is when nobody runs the build any more.
    expect(await logOf(under().builds, spec)).toEqual([]);
    await dying;
    expect(await ended(under().builds, spec)).toEqual({ state: "unknown" });
    const next = await built(under().builds, { ...spec, variables: {} });
    const image = imageIn(next.status);
    expect(next.log[0]?.seq).toBe(1);
    expect(next.text).toContain("started");
    expect(imageIn((await built(under().builds, { ...spec, variables: {} })).status)).toBe(image);
    expect(imageIn(await under().another.getBuildStatus(spec))).toBe(image);
    expect(await under().imagesOf(spec)).toEqual([image]);
    await until("what the first try ran is gone", async () => !(await under().isRunning(mark)));
  });

  test("has one image of a build whose process was killed in the moment it had it", async () => {
    const spec = await aBuild(under(), ["echo nearly there; date +%N > different-each-time.txt"], {
      noCache: true,
    });
    await under().killedAt(spec, under().lastWords);
    await ended(under().builds, spec);
    const image = await imageOf(under().builds, spec);
    expect(await under().imagesOf(spec)).toEqual([image]);
  });

  test("leaves a build to the Worker that runs it, and gives its image to every other", async () => {
    const { another } = under();
    const spec = await aBuild(under(), ["echo begun; sleep 1; date +%N > different-each-time.txt"]);
    await under().builds.submitBuild(spec);
    for await (const { text } of under().builds.streamLogs(spec, AbortSignal.timeout(60_000)))
      if (text === "begun") break;
    expect(await another.getBuildStatus(spec)).toEqual({ state: "running" });
    await expect(another.submitBuild(spec)).rejects.toThrow(/is running in/);
    await logOf(another, spec);
    const seen = await ended(another, spec);
    expect(imageIn(seen)).toEqual(imageIn(await ended(under().builds, spec)));
    await another.submitBuild(spec);
    expect(await another.getBuildStatus(spec)).toEqual(seen);
    expect(await under().imagesOf(spec)).toHaveLength(1);
  });

  test("builds to the end, or fails with the truth, when the connection to the builder is lost", async (context) => {
    const { loseConnections } = under();
    if (!loseConnections) return context.skip("this builder is not reached over a connection");
    const mark = `mark${randomUUID()}`;
    const spec = await aBuild(under(), [
      `echo begun; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; : ${mark}; date +%N > different-each-time.txt`,
    ]);
    await under().builds.submitBuild(spec);
    for await (const { text } of under().builds.streamLogs(spec, AbortSignal.timeout(60_000)))
      if (text === "begun") break;
    loseConnections();
    const { status, text, log } = await built(under().builds, spec);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
    expect(text).toMatch(/connection .* lost|went away/);
    expect(status).toMatchObject({ state: "succeeded" });
    expect(await under().imagesOf(spec)).toHaveLength(1);
    await until("nothing of it runs any more", async () => !(await under().isRunning(mark)));
  });

  test("stays cancelled: two cancels at once, another one later, and a second submission change nothing", async () => {
    const spec = await aBuild(under(), ["echo ready; sleep 604"]);
    await under().builds.submitBuild(spec);
    await Promise.all([under().builds.cancelBuild(spec), under().builds.cancelBuild(spec)]);
    await under().builds.cancelBuild(spec);
    await under().builds.submitBuild(spec);
    expect(await under().builds.getBuildStatus(spec)).toEqual({ state: "cancelled" });
    expect(await under().imagesOf(spec)).toEqual([]);
  });
}
