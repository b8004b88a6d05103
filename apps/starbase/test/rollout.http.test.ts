import type { StatusReport } from "@starform/contract/clusters";
import * as deployments from "@starform/contract/deployments";
import * as logs from "@starform/contract/logs";
import * as services from "@starform/contract/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresStores, postgresTransact } from "../src/adapters/postgres/stores.ts";
import { sweepDeployments } from "../src/core/deployments/sweep.ts";
import { aProject, desiredState, openApiWorld, report, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
  database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

type Ref = { project: string; service: string };
const deploy = (ref: Ref, letter: string) =>
  world.owner(deployments.createDeployment, {
    params: ref,
    query: {},
    body: { image: `registry.test/app@sha256:${letter.repeat(64)}` },
  });
const get = (id: string) => world.owner(deployments.getDeployment, { params: { deployment: id }, query: {} });
const running = async (ref: Ref) =>
  (await desiredState(world)).services.find((s) => s.project_slug === ref.project)?.provenance.deployment_id;
const activeOf = async (ref: Ref) =>
  (await world.owner(services.getService, { params: ref, query: {} })).activeDeploymentId;
const ready = (n: number): Partial<StatusReport> => ({
  ready_replicas: n,
  desired_replicas: 3,
  phase: n === 3 ? "running" : "starting",
});
const failed = { phase: "failed", reason: "it exited with code 1" } as const;
/** A service of three instances, all of them up. */
async function three() {
  const { ref } = await aProject(world);
  await world.owner(services.updateService, { params: ref, query: {}, body: { settings: { replicas: 3 } } });
  const good = await deploy(ref, "a");
  await report(world, good, ready(3));
  return { ref, good };
}
/** The sweep, so many minutes from now. */
const sweepIn = (minutes: number) =>
  sweepDeployments({
    stores: postgresStores(database.db),
    transact: postgresTransact(database.db),
    clock: { now: () => new Date(Date.now() + minutes * 60_000) },
  })();

test("the health of a service holds what its instance said last, for as long as that is the reason", async () => {
  const { ref, made } = await three().then(async ({ ref }) => ({ ref, made: await deploy(ref, "c") }));
  const health = async () => (await world.owner(services.getService, { params: ref, query: {} })).health;
  const last_lines = ["listening", "Error: connection lost"];
  await report(world, made, { ...ready(0), phase: "crashed", reason: "exited with code 1", last_lines });
  expect(await health()).toMatchObject({ reason: "exited with code 1", lastLines: last_lines });
  await report(world, made, { ...ready(3), reason: null });
  expect(await health()).not.toHaveProperty("lastLines");
});

test("a report is taken with whatever an instance said, as far as it can be kept", async () => {
  const { made } = await three().then(async ({ ref }) => ({ made: await deploy(ref, "c") }));
  const said = { reason: "it said \0\ud83d", last_lines: ["a\0", "b\ud83d"] };
  await report(world, made, { ...ready(0), ...failed, ...said });
  expect(await get(made.id)).toMatchObject({
    status: "failed",
    reason: "it said \ufffd\n    a\n    b\ufffd",
  });
});

describe("a rollout of several instances", () => {
  test("is deployed with the first that is well, and what a failure falls back on with the last", async () => {
    const { ref, good } = await three();
    const next = await deploy(ref, "b");
    await report(world, next, ready(1));
    expect(await get(next.id)).toMatchObject({ status: "deployed", isActive: true });
    expect((await get(good.id)).isActive).toBe(false);
    expect(await activeOf(ref)).toBe(good.id);
    await report(world, next, ready(3));
    expect([await activeOf(ref), await running(ref)]).toEqual([next.id, next.id]);
  });

  test("that fails before all are well gives way to what ran, with its reason", async () => {
    const { ref, good } = await three();
    const next = await deploy(ref, "b");
    await report(world, next, ready(1));
    await report(world, next, { ...ready(1), ...failed, serving_deployment_id: good.id });
    expect(await get(next.id)).toMatchObject({
      status: "failed",
      reason: "it exited with code 1",
      isActive: false,
      stages: expect.arrayContaining([expect.objectContaining({ name: "deploy", outcome: "failed" })]),
    });
    expect([await running(ref), await activeOf(ref), (await get(good.id)).isActive]).toEqual([
      good.id,
      good.id,
      true,
    ]);
    // Told again, or told late that it runs, it changes nothing.
    await report(world, next, failed);
    await report(world, next, ready(3));
    expect([(await get(next.id)).status, await running(ref)]).toEqual(["failed", good.id]);
  });

  test("that was wholly up once stays, whatever fails later", async () => {
    const { ref } = await three();
    const next = await deploy(ref, "b");
    await report(world, next, ready(3));
    await report(world, next, { ...ready(1), ...failed });
    expect((await get(next.id)).status).toBe("deployed");
    expect(await running(ref)).toBe(next.id);
  });

  test("of which some never become well is undone when each had its time, and not before", async () => {
    const { ref, good } = await three();
    const next = await deploy(ref, "b");
    await report(world, next, { ...ready(2), reason: "there is no room for it" });
    await sweepIn(17);
    expect((await get(next.id)).status).toBe("deployed");
    await sweepIn(19);
    expect(await get(next.id)).toMatchObject({
      status: "failed",
      reason: "only 2 of 3 instances became ready in time: there is no room for it",
    });
    expect(await running(ref)).toBe(good.id);
  });

  test("that has nothing before it stays what should run, though it failed", async () => {
    const { ref } = await aProject(world);
    await world.owner(services.updateService, {
      params: ref,
      query: {},
      body: { settings: { replicas: 3 } },
    });
    const first = await deploy(ref, "a");
    await report(world, first, ready(1));
    await sweepIn(30);
    expect((await get(first.id)).status).toBe("failed");
    expect(await running(ref)).toBe(first.id);
  });
});

test("a report that says nothing new is no news to the project", async () => {
  const { ref, good } = await three();
  const revision = async () =>
    (await world.owner(logs.getProjectStatus, { params: { project: ref.project }, query: {} })).revision;
  await report(world, good, ready(3));
  const before = await revision();
  await report(world, good, ready(3));
  expect(await revision()).toBe(before);
  await report(world, good, { ...ready(2), reason: "one crashed" });
  expect(await revision()).toBeGreaterThan(before);
});
