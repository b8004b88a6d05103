import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
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
const image = `registry.test/app@sha256:${"a".repeat(64)}`;
const set = (ref: Ref, changes: Record<string, string>, deploy = true) =>
  world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: changes, deploy } });
const setGroup = (project: string, group: string, changes: Record<string, string>) =>
  world.owner(variables.setVarGroup, { params: { project, group }, body: { variables: changes } });
async function running(ref: Ref, environment = "production"): Promise<void> {
  const made = await world.owner(deployments.createDeployment, {
    params: ref,
    query: { environment },
    body: { image },
  });
  await report(world, made);
}
/** Two services that run, `web` and `api`. */
async function twoServices() {
  const { ref } = await aProject(world);
  const api = { project: ref.project, service: "api" };
  await world.owner(services.createService, { params: { project: ref.project }, body: { name: "api" } });
  for (const each of [ref, api]) await running(each);
  return { web: ref, api };
}
const list = async (ref: Ref) =>
  (await world.owner(deployments.listDeployments, { params: ref, query: {} })).items;
const valuesOf = async ({ project, service }: Ref) =>
  Object.assign(
    {},
    ...((await desiredState(world)).services
      .find((s) => s.project_slug === project && s.service_name === service)
      ?.var_groups.map((group) => group.variables) ?? []),
  ) as Record<string, string>;

/** No deployment can be written while `work` runs, as if the process had died before it. */
async function whileNoneCanBeMade(work: () => Promise<void>): Promise<void> {
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'died'; end $$`.execute(
    database.db,
  );
  await sql`create trigger refuse before insert on deployments for each row execute function refuse()`.execute(
    database.db,
  );
  try {
    await work();
  } finally {
    await sql`drop function refuse cascade`.execute(database.db);
  }
}

describe("a change of variables", () => {
  test("lets nothing go live that was kept back from a service it does not reach", async () => {
    const { web, api } = await twoServices();
    expect(await set(web, { KEPT: "back" }, false)).toMatchObject({ deploymentId: null, redeployed: [] });
    const answer = await set(api, { B: "2" });
    expect(answer.redeployed).toEqual([
      { deploymentId: answer.deploymentId, service: "api", environment: "production" },
    ]);
    expect([(await list(web)).length, (await list(api)).length]).toEqual([1, 2]);
    await setGroup(
      web.project,
      (
        await world.owner(variables.createVarGroup, {
          params: { project: web.project },
          body: { name: "unused" },
        })
      ).name,
      { C: "3" },
    );
    expect(await valuesOf(web)).toEqual({});
    // A change of its own takes along what waited.
    expect((await set(web, { D: "4" })).redeployed).toHaveLength(1);
    expect(await valuesOf(web)).toEqual({ KEPT: "back", D: "4" });
  });

  test("re-deploys whom it reaches by a reference, in every environment, and says so", async () => {
    const { web, api } = await twoServices();
    const params = { project: web.project };
    await world.owner(projects.createEnvironment, { params, body: { name: "staging" } });
    await running(web, "staging");
    await world.owner(variables.createVarGroup, { params, body: { name: "shared", variables: { A: "1" } } });
    await set(web, { FROM_GROUP: "${{shared.A}}" });
    await set(api, { FROM_WEB: "${{web.FROM_GROUP}}!" });
    const staging = { params: web, query: { environment: "staging" } };
    await world.owner(variables.setVariables, { ...staging, body: { variables: { X: "${{shared.A}}" } } });
    const { redeployed } = await setGroup(web.project, "shared", { A: "2" });
    expect(redeployed.map(({ service, environment }) => `${service} ${environment}`).sort()).toEqual([
      "api production",
      "web production",
      "web staging",
    ]);
    expect([await valuesOf(web), await valuesOf(api)]).toEqual([{ FROM_GROUP: "2" }, { FROM_WEB: "2!" }]);
    expect((await setGroup(web.project, "shared", { A: "2" })).redeployed).toEqual([]);
    const attached = await world.owner(variables.attachVarGroup, {
      params: { ...api, group: "shared" },
      query: {},
      body: {},
    });
    expect(attached.redeployed).toMatchObject([{ service: "api" }]);
  });

  test("that puts back what runs already deploys nothing", async () => {
    const { web } = await twoServices();
    await set(web, { A: "1" });
    await set(web, { A: "2" }, false);
    expect(await set(web, { A: "1" })).toMatchObject({ deploymentId: null, redeployed: [] });
  });

  test("is kept together with what it re-deploys, or not at all", async () => {
    const { web } = await twoServices();
    await whileNoneCanBeMade(async () => {
      await expect(set(web, { LOST: "1" })).rejects.toMatchObject({ code: "internal" });
    });
    expect((await world.owner(variables.listVariables, { params: web, query: {} })).items).toEqual([]);
    expect((await set(web, { LOST: "1" })).deploymentId).not.toBeNull();
  });

  test("waits for no one who waits for it: many at once, while the cluster reports", async () => {
    const { web, api } = await twoServices();
    const params = { project: web.project };
    await world.owner(variables.createVarGroup, { params, body: { name: "shared", variables: { A: "0" } } });
    for (const ref of [web, api]) await set(ref, { X: "${{shared.A}}" });
    const [latestWeb, latestApi] = [(await list(web))[0]!, (await list(api))[0]!];
    await Promise.all([
      ...[1, 2, 3, 4].map((n) => setGroup(web.project, "shared", { A: String(n) })),
      ...[1, 2, 3].map((n) => set(api, { OWN: String(n) })),
      ...[1, 2, 3].flatMap(() => [report(world, latestWeb), report(world, latestApi)]),
      world.owner(services.updateService, { params: web, query: {}, body: { settings: { tier: "nova" } } }),
    ]);
    const group = (await world.owner(variables.listVarGroups, { params })).items[0]!;
    const { value } = group.entries[0]!;
    expect(await valuesOf(web)).toEqual({ X: value });
    expect(await valuesOf(api)).toMatchObject({ X: value });
  });
});

describe("a change of a service", () => {
  test("of its name re-deploys who refers to its address", async () => {
    const { web, api } = await twoServices();
    await set(web, { API: "${{api.STARFORM_PUBLIC_URL}}" });
    const { redeployed } = await world.owner(services.updateService, {
      params: api,
      query: {},
      body: { name: "backend" },
    });
    expect(redeployed).toMatchObject([{ service: "web", environment: "production" }]);
    expect((await valuesOf(web))["API"]).toBe(`http://backend-${web.project}.localhost:4402`);
  });

  test("of its tier is kept together with its deployment, or not at all", async () => {
    const { web } = await twoServices();
    const change = () =>
      world.owner(services.updateService, { params: web, query: {}, body: { settings: { tier: "nova" } } });
    await whileNoneCanBeMade(async () => {
      await expect(change()).rejects.toMatchObject({ code: "internal" });
    });
    const { settings } = await world.owner(services.getService, { params: web, query: {} });
    expect(settings.tier).toBe("mininova");
    const { redeployed, latestDeployment } = await change();
    expect(redeployed).toEqual([
      { deploymentId: latestDeployment!.id, service: "web", environment: "production" },
    ]);
  });
});
