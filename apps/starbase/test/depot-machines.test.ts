import { until } from "@starform/std/retry";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import type { FakeDepot } from "@starform/testkit/depot/fake-depot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aBuild, built } from "./a-build.ts";
import { openRemoteBuilder, type RemoteBuilderUnderTest } from "./remote-builder.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("Depot's machines", { timeout: 120_000 }, () => {
  let under: RemoteBuilderUnderTest;
  let depot: FakeDepot;
  beforeAll(async () => {
    under = await openRemoteBuilder("depot");
    depot = under.depot!;
  }, 180_000);
  afterAll(() => under?.[Symbol.asyncDispose]());

  const last = () => depot.builds.at(-1)!;
  const ended = (what: string) => until(what, () => last().outcome !== undefined && last());

  test("belong to one project for each workspace, which keeps 30 GB, however many Workers ask", async () => {
    const workspaceId = crypto.randomUUID();
    await Promise.all([under.builds.ensureProject(workspaceId), under.another!.ensureProject(workspaceId)]);
    const own = depot.projects.filter(({ name }) => name.includes(workspaceId));
    expect(own).toMatchObject([{ regionId: "eu-central-1", cachePolicy: { keepGb: 30, keepDays: 14 } }]);
  });

  test("are given back and their builds finished, though Depot fails at first, and no token is shown", async () => {
    depot.fail("FinishBuild", "unavailable", 2);
    const { status, text } = await built(under.builds, await aBuild(under, ["echo done"]));
    expect(status).toMatchObject({ state: "succeeded" });
    expect(await ended("the build is finished")).toMatchObject({ outcome: "success", isReleased: true });
    expect(last().health.length).toBeGreaterThan(1);
    for (const secret of [depot.token, last().token]) expect(text).not.toContain(secret);
  });

  test("are given back after a failure, whose reason Depot is told", async () => {
    await built(under.builds, await aBuild(under, ["exit 5"]));
    const { outcome, isReleased } = await ended("the build is finished");
    expect(isReleased).toBe(true);
    expect(JSON.stringify(outcome)).toContain("exit code 5");
  });

  test("are no longer waited for when the build is cancelled meanwhile", async () => {
    depot.pendings = Infinity;
    const spec = await aBuild(under, ["echo never"]);
    await under.builds.submitBuild(spec);
    for await (const { text } of under.builds.streamLogs(spec, AbortSignal.timeout(60_000)))
      if (text === "waiting for a build machine") break;
    await under.builds.cancelBuild(spec);
    depot.pendings = 1;
    expect(await under.builds.getBuildStatus(spec)).toEqual({ state: "cancelled" });
    expect(await ended("the build is finished")).toMatchObject({ outcome: { error: "cancelled" } });
  });

  test("are given back for a Worker that died", async () => {
    const spec = await aBuild(under, ["echo begun; sleep 605"]);
    await under.killedAt(spec, "begun");
    expect(last().outcome).toBeUndefined();
    const tend = under.crons.find(({ name }) => name === "builders.tend")!;
    const sweep = () => tend.run(AbortSignal.timeout(60_000));
    await until("a sweep ends it", async () => (await sweep(), last().outcome !== undefined), {
      withinMs: 60_000,
    });
    expect(last()).toMatchObject({
      outcome: { error: "the Worker that ran this build died" },
      isReleased: true,
    });
  });

  test("are given back for one dead Worker though Depot knows nothing of another's build any more", async () => {
    const [first, second] = [
      await aBuild(under, ["echo begun; sleep 606"]),
      await aBuild(under, ["echo begun; sleep 607"]),
    ];
    await under.killedAt(first, "begun");
    depot.builds.splice(depot.builds.indexOf(last()), 1);
    await under.killedAt(second, "begun");
    const tend = under.crons.find(({ name }) => name === "builders.tend")!;
    await until(
      "a sweep ends it",
      async () => (await tend.run(AbortSignal.timeout(60_000)), last().outcome !== undefined),
      { withinMs: 60_000 },
    );
    expect(last()).toMatchObject({ isReleased: true });
  });
});
