import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aProject, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const stale = { code: "precondition_failed", message: expect.stringMatching(/changed since you read it/) };
const ask = (method: string, path: string, { body, ifMatch }: { body?: object; ifMatch?: string } = {}) =>
  fetch(world.url + path, {
    method,
    headers: {
      authorization: `Bearer ${ownerToken}`,
      ...(body ? { "content-type": "application/json" } : {}),
      ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

/** What can be read with an ETag and changed over it; each change gives it another. */
const things = {
  service: {
    path: ({ project, service }: Ref) => `/v1/projects/${project}/services/${service}`,
    change: (n: number) => ({ settings: { replicas: n } }),
  },
  variables: {
    path: ({ project, service }: Ref) => `/v1/projects/${project}/services/${service}/variables`,
    change: (n: number) => ({ variables: { A: String(n) } }),
  },
  "var group": {
    path: ({ project }: Ref) => `/v1/projects/${project}/var-groups/shared`,
    change: (n: number) => ({ variables: { A: String(n) } }),
  },
};
type Ref = { project: string; service: string };
async function prepared(): Promise<Ref> {
  const { ref } = await aProject(world);
  await world.owner(variables.createVarGroup, { params: { project: ref.project }, body: { name: "shared" } });
  return ref;
}

describe.each(Object.entries(things))("a %s", (_, { path, change }) => {
  test("is changed over the ETag it was read with, and over no older one", async () => {
    const at = path(await prepared());
    const read = await ask("GET", at);
    const etag = read.headers.get("etag")!;
    expect(etag).toMatch(/^"sha256:[0-9a-f]{64}"$/);
    expect(etag).toBe(`"${((await read.json()) as { checksum: string }).checksum}"`);
    const changed = await ask("PATCH", at, { body: change(2), ifMatch: etag });
    expect(changed.status).toBe(200);
    const next = changed.headers.get("etag")!;
    expect(next).not.toBe(etag);
    const refused = await ask("PATCH", at, { body: change(3), ifMatch: etag });
    expect([refused.status, await refused.json()]).toMatchObject([
      412,
      { code: "precondition_failed", detail: stale.message },
    ]);
    expect((await ask("GET", at)).headers.get("etag")).toBe(next);
    expect((await ask("PATCH", at, { body: change(4), ifMatch: `"other", ${next}` })).status).toBe(200);
  });

  test("is changed as before by whoever does not ask, or asks that it be there at all", async () => {
    const at = path(await prepared());
    for (const [n, ifMatch] of [undefined, "*"].entries())
      expect((await ask("PATCH", at, { body: change(n + 2), ...(ifMatch ? { ifMatch } : {}) })).status).toBe(
        200,
      );
    const etag = (await ask("GET", at)).headers.get("etag")!;
    for (const ifMatch of [`W/${etag}`, "", "nothing quoted"])
      expect((await ask("PATCH", at, { body: change(9), ifMatch })).status).toBe(412);
  });

  test("is changed by one of many who read it at once", async () => {
    const at = path(await prepared());
    const ifMatch = (await ask("GET", at)).headers.get("etag")!;
    const answers = await Promise.all(
      [2, 3, 4, 5].map((n) => ask("PATCH", at, { body: change(n), ifMatch })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });
});

test("the client takes the checksum it read", async () => {
  const ref = await prepared();
  const { checksum } = await world.owner(services.getService, { params: ref, query: {} });
  const change = (tier: "nova" | "supernova") =>
    world.owner(
      services.updateService,
      { params: ref, query: {}, body: { settings: { tier } } },
      { ifMatch: checksum },
    );
  await change("nova");
  await expect(change("supernova")).rejects.toMatchObject(stale);
});

test("a secret's flag is part of what a change is made over, its health is not", async () => {
  const ref = await prepared();
  const set = (isSecret: boolean) =>
    world.owner(variables.setVariables, {
      params: ref,
      query: {},
      body: { variables: { A: { value: "1", isSecret } } },
    });
  expect((await set(true)).checksum).not.toBe((await set(false)).checksum);
  const read = () => world.owner(services.getService, { params: ref, query: {} });
  const before = await read();
  await set(true);
  expect((await read()).checksum).toBe(before.checksum);
});
