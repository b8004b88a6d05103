import { gzipSync } from "node:zlib";
import * as deployments from "@starform/contract/deployments";
import * as identity from "@starform/contract/identity";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import { systemClock } from "@starform/std/clock";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresStores, postgresTransact } from "../src/adapters/postgres/stores.ts";
import { buildRun, keyOfTicket } from "../src/core/deployments/jobs.ts";
import { sweepDeployments } from "../src/core/deployments/sweep.ts";
import { untilCancelled } from "../src/core/deployments/until-cancelled.ts";
import { aProject, desiredState, openApiWorld, ownerToken, report, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
  database = openDatabase({ url: world.config.database.url, poolMax: 4, onError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

type Ref = { project: string; service: string };
const image = (letter: string) => `registry.test/app@sha256:${letter.repeat(64)}`;
const deploy = (ref: Ref, body: { image?: string; sourceId?: string }) =>
  world.owner(deployments.createDeployment, { params: ref, query: {}, body });
const list = async (ref: Ref) =>
  (await world.owner(deployments.listDeployments, { params: ref, query: {} })).items;
const set = (ref: Ref, changes: Record<string, string>) =>
  world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: changes } });
/** Something to build: nobody builds in this world, so what is deployed of it waits. */
async function anUpload(ref: Ref): Promise<string> {
  const response = await fetch(`${world.url}/v1/projects/${ref.project}/services/${ref.service}/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
    body: gzipSync(Buffer.alloc(1_024)) as BodyInit,
  });
  return ((await response.json()) as { sourceId: string }).sourceId;
}

describe("what is still to be built", () => {
  test("is what a changed variable builds anew, not the older image that runs", async () => {
    const { ref } = await aProject(world);
    await report(world, await deploy(ref, { image: image("a") }));
    await deploy(ref, { sourceId: await anUpload(ref) });
    await set(ref, { COLOUR: "blue" });
    expect(await list(ref)).toMatchObject([
      { number: 3, trigger: "variables", status: "pending", image: null },
      { number: 2, status: "cancelled", reason: "superseded by #3" },
      { number: 1, status: "deployed" },
    ]);
  });

  test("gets a variable that is set before anything runs", async () => {
    const { ref } = await aProject(world);
    await deploy(ref, { sourceId: await anUpload(ref) });
    const { deploymentId } = await set(ref, { COLOUR: "blue" });
    expect(await list(ref)).toMatchObject([
      { id: deploymentId, status: "pending" },
      { number: 1, status: "cancelled" },
    ]);
  });

  test("ends with its reason once nobody works on it any more, and not before", async () => {
    const { ref } = await aProject(world);
    const good = await deploy(ref, { image: image("a") });
    await report(world, good);
    const lost = await deploy(ref, { sourceId: await anUpload(ref) });
    const transact = postgresTransact(database.db);
    const sweep = sweepDeployments({
      stores: postgresStores(database.db),
      transact,
      clock: { now: () => new Date(systemClock.now().getTime() + 4 * 60_000) },
    });
    await sweep();
    expect((await list(ref))[0]).toMatchObject({ id: lost.id, status: "pending" });
    const ticket = crypto.randomUUID();
    await transact(({ buildQueue }) => buildQueue.claim(lost.id, ticket, new Date()));
    await transact(({ jobs }) => jobs.enqueue(buildRun, { ticket }, { key: keyOfTicket(ticket) }));
    await sweep();
    expect((await list(ref))[0]).toMatchObject({ id: lost.id, status: "pending" });
    await sql`update graphile_worker._private_jobs set attempts = max_attempts where key = ${keyOfTicket(ticket)}`.execute(
      database.db,
    );
    await sweep();
    expect((await list(ref))[0]).toMatchObject({
      id: lost.id,
      status: "failed",
      reason: expect.stringContaining("deploy again"),
    });
    expect((await desiredState(world)).services.find((s) => s.project_slug === ref.project)).toMatchObject({
      provenance: { deployment_id: good.id },
    });
  });
});

test("lists deployments by their number, so that a clock that jumps back hides nothing", async () => {
  const { ref } = await aProject(world);
  for (const letter of ["a", "b", "c"]) await deploy(ref, { image: image(letter) });
  const newest = (await list(ref))[0]!;
  const early = "00000000-0000-7000-8000-000000000003";
  await sql`update deployments set id = ${early} where id = ${newest.id}`.execute(database.db);
  expect((await list(ref)).map((d) => d.number)).toEqual([3, 2, 1]);
  const page = await world.owner(deployments.listDeployments, { params: ref, query: { limit: 1 } });
  const rest = await world.owner(deployments.listDeployments, {
    params: ref,
    query: { cursor: page.nextCursor! },
  });
  expect([...page.items, ...rest.items].map((d) => d.number)).toEqual([3, 2, 1]);
  const service = await world.owner(services.getService, { params: ref, query: {} });
  expect(service.latestDeployment?.id).toBe(early);
});

describe("an image", () => {
  test("made here is deployed by its own project only, and none by its bare id", async () => {
    const { ref } = await aProject(world);
    const foreign = `starform.local/018f0000-0000-7000-8000-000000000009/x@sha256:${"f".repeat(64)}`;
    await expect(deploy(ref, { image: foreign })).rejects.toMatchObject({ code: "not_found" });
    await expect(deploy(ref, { image: `sha256:${"f".repeat(64)}` })).rejects.toMatchObject({
      code: "invalid",
    });
    const own = `starform.local/p/s@sha256:${"e".repeat(64)}`;
    const { id } = await deploy(ref, { sourceId: await anUpload(ref) });
    await sql`update builds set image = ${own} where id = (select build_id from deployments where id = ${id})`.execute(
      database.db,
    );
    expect((await deploy(ref, { image: own })).status).toBe("deploying");
  });

  test("that a deployment failed with is built anew", async () => {
    const { ref } = await aProject(world);
    const sourceId = await anUpload(ref);
    const first = await deploy(ref, { sourceId });
    await sql`update builds set image = ${image("d")} where id = (select build_id from deployments where id = ${first.id})`.execute(
      database.db,
    );
    const second = await deploy(ref, { sourceId });
    expect(second.status).toBe("deploying");
    await report(world, second, {
      phase: "failed",
      ready_replicas: 0,
      reason: "the image is not on this machine any more",
      serving_deployment_id: null,
    });
    expect((await deploy(ref, { sourceId })).status).toBe("pending");
  });
});

describe("a service", () => {
  test("and an environment made at once do not miss each other", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project };
    for (const at of [1, 2, 3]) {
      await Promise.all([
        world.owner(projects.createEnvironment, { params, body: { name: `e${at}` } }),
        world.owner(services.createService, { params, body: { name: `s${at}` } }),
      ]);
      const there = await world.owner(services.listServices, { params, query: { environment: `e${at}` } });
      expect(there.items.map(({ name }) => name)).toContain(`s${at}`);
    }
  });

  test("is refused the address of another, in whichever way the two names meet", async () => {
    for (const slug of ["a-bb", "bb"]) await world.owner(projects.createProject, { body: { slug } });
    await world.owner(services.createService, { params: { project: "a-bb" }, body: { name: "web" } });
    await expect(
      world.owner(services.createService, { params: { project: "bb" }, body: { name: "web-a" } }),
    ).rejects.toMatchObject({ code: "name_taken", message: expect.stringContaining("web-a-bb.localhost") });
    await world.owner(services.createService, { params: { project: "bb" }, body: { name: "web" } });
    await expect(
      world.owner(services.updateService, {
        params: { project: "bb", service: "web" },
        query: {},
        body: { name: "web-a" },
      }),
    ).rejects.toMatchObject({ code: "name_taken" });
  });

  test("takes no address of a repository that holds a token", async () => {
    const { ref } = await aProject(world);
    const url = "https://ghp_token@github.com/o/r.git";
    await expect(
      world.owner(services.updateService, { params: ref, query: {}, body: { source: { kind: "git", url } } }),
    ).rejects.toMatchObject({ code: "invalid" });
    expect(world.log()).not.toContain("ghp_token");
  });
});

test("stops a build whose cancellation was told while nobody could hear it", async () => {
  let status = "building";
  const deployments = { seenById: async () => ({ status }) } as never;
  const changes = { on: () => () => undefined };
  const work = untilCancelled(
    { stores: { deployments }, changes, lookEveryMs: 5 },
    "d",
    new AbortController().signal,
    (signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve("stopped"));
        status = "cancelled";
      }),
  );
  expect(await work).toBe("stopped");
});

test("hands the answer of an Idempotency-Key to no other token", async () => {
  const key = "the-same-key-0001";
  const { secret } = await world.owner(identity.createToken, { body: { name: "reading", scope: "read" } });
  const ask = (token: string) =>
    fetch(`${world.url}/v1/projects`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "idempotency-key": key,
      },
      body: JSON.stringify({ slug: "once-only" }),
    });
  expect((await ask(ownerToken)).status).toBe(201);
  expect((await ask(ownerToken)).status).toBe(201);
  expect((await ask(secret)).status).not.toBe(201);
});

describe("variables", () => {
  test("that would double without end are refused at once", async () => {
    const { ref } = await aProject(world);
    const names = Array.from({ length: 40 }, (_, i) => `V${i}`);
    const bomb = (seed: string) =>
      Object.fromEntries(names.map((name, i) => [name, i === 0 ? seed : `\${{V${i - 1}}}\${{V${i - 1}}}`]));
    await expect(set(ref, bomb("x"))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("65,536"),
    });
    expect((await set(ref, bomb(""))).items).toHaveLength(40);
  });

  test("of two services that are set at once never make a circle together", async () => {
    const { ref } = await aProject(world);
    const other = { project: ref.project, service: "api" };
    await world.owner(services.createService, { params: { project: ref.project }, body: { name: "api" } });
    await set(ref, { A: "1" });
    await set(other, { B: "2" });
    const outcomes = await Promise.allSettled([
      set(ref, { A: "${{api.B}}" }),
      set(other, { B: "${{web.A}}" }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("know each name once: no service has a var group's, nor a group a service's, whoever is first", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project };
    const makeGroup = (name: string) => world.owner(variables.createVarGroup, { params, body: { name } });
    const makeService = (name: string) => world.owner(services.createService, { params, body: { name } });
    await makeGroup("shared");
    const refused = { code: "name_taken", message: expect.stringContaining("${{shared.…}} would mean both") };
    await expect(makeService("shared")).rejects.toMatchObject(refused);
    await expect(
      world.owner(services.updateService, { params: ref, query: {}, body: { name: "shared" } }),
    ).rejects.toMatchObject(refused);
    await expect(makeGroup("web")).rejects.toMatchObject({ code: "name_taken" });
    for (const at of [1, 2, 3]) {
      const both = await Promise.allSettled([makeGroup(`n${at}`), makeService(`n${at}`)]);
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }
  });

  test("keep the service they refer to from being deleted", async () => {
    const { ref } = await aProject(world);
    await world.owner(services.createService, { params: { project: ref.project }, body: { name: "api" } });
    await set(ref, { URL: "${{api.STARFORM_PUBLIC_URL}}" });
    const remove = () =>
      world.owner(services.deleteService, { params: { project: ref.project, service: "api" } });
    await expect(remove()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("web.URL (production) refers to the service api"),
    });
    await set(ref, { URL: "none" });
    await remove();
  });
});

test("does a transaction again that Postgres ended to solve a deadlock", async () => {
  const transact = postgresTransact(database.db);
  const [one, two] = [(await aProject(world)).project.id, (await aProject(world)).project.id];
  const met = { [one]: Promise.withResolvers<void>(), [two]: Promise.withResolvers<void>() };
  const cross = (first: string, second: string) =>
    transact(async ({ projects }) => {
      await projects.touch(first);
      met[first]!.resolve();
      await met[second]!.promise;
      await projects.touch(second);
      return "done";
    });
  expect(await Promise.all([cross(one, two), cross(two, one)])).toEqual(["done", "done"]);
});
