import { allItems, type Call } from "@starform/client/client";
import { allRoutes } from "@starform/contract/all-routes";
import * as clusterRecords from "@starform/contract/cluster-records";
import * as clusters from "@starform/contract/clusters";
import * as gitHosts from "@starform/contract/git-hosts";
import * as identity from "@starform/contract/identity";
import * as projects from "@starform/contract/projects";
import * as registries from "@starform/contract/registries";
import type { Route } from "@starform/contract/route";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import * as workspaces from "@starform/contract/workspaces";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { aMember, aProject, clusterId, openApiWorld, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let project: string;
/** Signed in, and so in every workspace of theirs; a token opens one. */
let person: Call;
const numbers = [1, 2, 3, 4, 5];
beforeAll(async () => {
  world = await openApiWorld();
  const { code } = await world.owner(identity.createLoginLink, {});
  person = world.as((await world.as(undefined)(identity.signIn, { body: { code } })).accessToken);
  const made = await aProject(world);
  project = made.ref.project;
  const params = { project };
  for (const n of numbers) {
    await world.owner(projects.createEnvironment, { params, body: { name: `e${n}` } });
    await world.owner(variables.createVarGroup, { params, body: { name: `g${n}` } });
    await world.owner(workspaces.createWorkspace, { body: { slug: `w${n}-of-many` } });
    await world.owner(identity.createToken, { body: { name: `t${n}` } });
    await aMember(world, `m${n}@example.org`, "member", { project, role: "viewer" });
    await world.owner(services.createService, { params, body: { name: `s${n}` } });
    await world.owner(clusterRecords.createCluster, { body: { region: "nyc3" } });
  }
  await world.owner(services.createService, {
    params,
    body: { name: "nightly", type: "cron", settings: { schedule: "0 4 * * *" } },
  });
  const nightly = await world.owner(services.getService, {
    params: { project, service: "nightly" },
    query: {},
  });
  await world.cluster(clusters.postStatus, {
    params: { id: clusterId },
    body: {
      reports: [],
      cron_runs: numbers.map((n) => ({
        run_id: `run-${n}`,
        service_id: nightly.id,
        environment: "production",
        // Two of one moment: nothing but the id tells them apart.
        scheduled_for: `2026-01-0${Math.ceil(n / 2)}T04:00:00.000Z`,
        started_at: null,
        ended_at: null,
        outcome: "succeeded" as const,
        reason: null,
      })),
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

type Listed = { id?: string; userId?: string; name?: string; slug?: string };
type Page = { items: Listed[]; nextCursor?: string };
const idOf = ({ id, userId }: Listed) => id ?? userId;

/** The pages of two, each asked for with the cursor of the one before. */
async function pagesOf(route: Route, input: object): Promise<Page[]> {
  const pages: Page[] = [];
  for (let cursor: string | undefined, more = true; more;) {
    const query = { limit: 2, ...(cursor ? { cursor } : {}) };
    const page = (await person(route, { ...input, query } as never)) as unknown as Page;
    pages.push(page);
    cursor = page.nextCursor;
    more = cursor !== undefined;
  }
  return pages;
}

const ofProject = () => ({ params: { project } });
const lists: [Route, () => object][] = [
  [projects.listEnvironments, ofProject],
  [projects.listProjectMembers, ofProject],
  [services.listServices, ofProject],
  [services.listCronRuns, () => ({ params: { project, service: "nightly" } })],
  [variables.listVarGroups, ofProject],
  [identity.listTokens, () => ({})],
  [workspaces.listWorkspaces, () => ({})],
  [workspaces.listMembers, () => ({ params: { workspace: "home" } })],
  [clusterRecords.listClusters, () => ({})],
];

test.each(lists.map(([route, inputOf]) => [route.id, route, inputOf] as const))(
  "%s leads through all of it, each once and in one order",
  async (_, route, inputOf) => {
    const input = inputOf();
    const whole = (await person(route, { ...input, query: { limit: 200 } } as never)) as unknown as Page;
    expect(whole.items.length).toBeGreaterThanOrEqual(5);
    expect(whole.nextCursor).toBeUndefined();
    const pages = await pagesOf(route, input);
    expect(pages.flatMap((page) => page.items)).toEqual(whole.items);
    expect(new Set(whole.items.map(idOf)).size).toBe(whole.items.length);
    expect(pages.map((page) => page.items.length)).toEqual(
      pages.map((_page, at) => Math.min(2, whole.items.length - 2 * at)),
    );
    expect(await allItems(person, route, input as never)).toEqual(whole.items);
  },
);

test("a page goes on after what was deleted meanwhile", async () => {
  const { secret } = await world.owner(identity.createToken, { body: { name: "mine", project } });
  const mine = world.as(secret);
  for (const n of numbers) await mine(identity.createToken, { body: { name: `own${n}` } });
  const first = await mine(identity.listTokens, { query: { limit: 2 } });
  for (const { id } of first.items) await mine(identity.deleteToken, { params: { token: id } });
  const rest = await mine(identity.listTokens, { query: { cursor: first.nextCursor! } });
  expect([...first.items, ...rest.items].map(({ name }) => name)).toEqual([
    "own5",
    "own4",
    "own3",
    "own2",
    "own1",
    "mine",
  ]);
});

/** Their number is bounded, so they are told whole: see "what is told whole is bounded". */
const whole = new Set(["listVariables", "listRegistries", "listGitLogins"]);

test("what is told whole is bounded, and what is over the bound is refused with the way out", async () => {
  const { ref } = await aProject(world);
  const named = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`A${n}`, "1"]));
  const set = (entries: Record<string, string | null>) =>
    world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: entries } });
  await set(named(variables.variablesMax));
  await expect(set({ ONE_MORE: "1" })).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/would hold 501 variables, and may hold 500: delete some/),
  });
  await set({ ONE_MORE: "1", A0: null });

  const { ref: other } = await aProject(world);
  const params = { project: other.project };
  const attach = async (n: number, isNew = true) => {
    if (isNew) await world.owner(variables.createVarGroup, { params, body: { name: `g${n}` } });
    return world.owner(variables.attachVarGroup, {
      params: { ...other, group: `g${n}` },
      query: {},
      body: {},
    });
  };
  for (let n = 0; n < variables.attachedGroupsMax; n++) await attach(n);
  await attach(0, false);
  await expect(attach(variables.attachedGroupsMax)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/detach one/),
  });

  const signIn = (route: typeof registries.putRegistry | typeof gitHosts.putGitLogin, n: number) =>
    world.owner(route as typeof registries.putRegistry, {
      params: { ...params, host: `host-${n}.example.com` },
      body: { username: "u", password: "p" },
    });
  for (const route of [registries.putRegistry, gitHosts.putGitLogin]) {
    for (let n = 0; n < registries.signInsMax; n++) await signIn(route, n);
    await signIn(route, 0);
    await expect(signIn(route, registries.signInsMax)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/already: delete one/),
    });
  }
});

test("every list of the contract has a cursor", () => {
  const listing = allRoutes.filter(
    ({ method, response }) =>
      method === "GET" && response instanceof z.ZodObject && "items" in response.shape,
  );
  expect(listing.length).toBeGreaterThan(12);
  const unpaged = listing.filter(
    ({ query }) => !(query instanceof z.ZodObject && "cursor" in query.shape && "limit" in query.shape),
  );
  expect(unpaged.map(({ id }) => id).filter((id) => !whole.has(id))).toEqual([]);
});
