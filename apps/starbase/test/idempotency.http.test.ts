import { allRoutes } from "@starform/contract/all-routes";
import { createCluster } from "@starform/contract/cluster-records";
import * as deployments from "@starform/contract/deployments";
import { pathOf } from "@starform/client/client";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { aProject, openApiWorld, ownerToken, report, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
let ref: { project: string; service: string };
let deployed: string;
let cluster: string;
beforeAll(async () => {
  const signing = selfSignedCertificate("Starform registry", new Date());
  world = await openApiWorld({
    runtime: "docker",
    settings: {
      STARBASE_REGISTRY: "docker-registry",
      STARBASE_REGISTRY_PORT: "5000",
      STARBASE_REGISTRY_PEM: `${signing.key}${signing.certificate}`,
    },
  });
  database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
  ref = (await aProject(world)).ref;
  const made = await world.owner(deployments.createDeployment, {
    params: ref,
    query: {},
    body: { image: image("a") },
  });
  await report(world, made);
  deployed = made.id;
  cluster = (await world.owner(createCluster, { body: { region: "nyc3" } })).cluster.id;
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const image = (letter: string) => `registry.test/app@sha256:${letter.repeat(64)}`;

/** Every route that takes an Idempotency-Key, with something it creates. */
const creating: Record<string, object | undefined> = {
  createLoginLink: undefined,
  createToken: { name: "t" },
  createWorkspace: { slug: "another" },
  createProject: { slug: "another" },
  createEnvironment: { name: "staging" },
  createService: { name: "another" },
  createProposal: { url: "https://git.example/app.git" },
  createVarGroup: { name: "group", variables: { A: "1" } },
  createDeployment: { image: image("b") },
  rollBackDeployment: undefined,
  createRegistryPassword: { access: "push" },
  createCluster: { region: "nyc3" },
  rotateClusterToken: undefined,
};
/** Routes that create and keep no answer of a key, each with what makes a repeat harmless. */
const unkeyed: Record<string, string> = {
  signIn: "nobody is signed in yet, so a key is nobody's; a sign-in link is good once",
  uploadSource: "a source is kept by what it holds, and its stream cannot be part of a transaction",
};
const routes = allRoutes.filter((route) => route.isIdempotent);
const routeOf = (id: string) => routes.find((route) => route.id === id)!;

const ask = (id: string, key: string) =>
  fetch(world.url + pathOf(routeOf(id), { params: { ...ref, deployment: deployed, cluster } }), {
    method: "POST",
    headers: {
      authorization: `Bearer ${ownerToken}`,
      "idempotency-key": key,
      ...(creating[id] ? { "content-type": "application/json" } : {}),
    },
    ...(creating[id] ? { body: JSON.stringify(creating[id]) } : {}),
  });

const tables =
  "login_codes api_tokens workspaces projects environments services proposals var_groups var_group_entries deployments clusters audit_log idempotency_keys".split(
    " ",
  );
/** How much there is of everything that could be made twice. */
async function counts(): Promise<Record<string, number>> {
  const all = tables.map((table) => `select '${table}' as name, count(*)::int as n from ${table}`);
  const { rows } = await sql<{ name: string; n: number }>`${sql.raw(all.join(" union all "))}`.execute(
    database.db,
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

/** Whoever has done the work and is about to keep its answer dies. */
async function whileItDiesInBetween<T>(work: () => Promise<T>): Promise<T> {
  await sql`create function die() returns trigger language plpgsql as $$
    begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(60); return new; end $$`.execute(
    database.db,
  );
  await sql`create trigger die before insert on idempotency_keys for each row execute function die()`.execute(
    database.db,
  );
  try {
    return await work();
  } finally {
    await sql`drop function die cascade`.execute(database.db);
  }
}

test("every creating route takes a key and is tried here, or is named with its reason, which the reference tells", async () => {
  expect(routes.map(({ id }) => id).sort()).toEqual(Object.keys(creating).sort());
  const others = allRoutes.filter(({ status, isIdempotent }) => status === 201 && !isIdempotent);
  expect(others.map(({ id }) => id).sort()).toEqual(Object.keys(unkeyed).sort());
  const reference = await (await fetch(`${world.url}/docs`)).text();
  for (const { id, unkeyed: sentence = "no reason" } of others)
    expect(reference.split(`id="${id}"`)[1]?.split("</article>")[0]).toContain(sentence);
});

test("an answer that holds a secret is kept sealed", async () => {
  const made = await Promise.all(
    ["createToken", "createLoginLink", "createRegistryPassword"].map(async (id) => {
      const answer = await ask(id, `sealed-${id}`);
      return (await answer.json()) as { secret?: string; code?: string; password?: string };
    }),
  );
  const secrets = made.map(({ secret, code, password }) => secret ?? code ?? password);
  const { rows } = await sql<{ text: string }>`select response::text as text from idempotency_keys`.execute(
    database.db,
  );
  expect(rows.length).toBeGreaterThanOrEqual(secrets.length);
  for (const secret of secrets) {
    expect(secret).toMatch(/.{16}/);
    expect(rows.filter(({ text }) => text.includes(secret!))).toEqual([]);
  }
});

test.each(Object.keys(creating))(
  "%s that dies between its work and its answer has done nothing, and a repeat does it once",
  async (id) => {
    const before = await counts();
    const died = await whileItDiesInBetween(() => ask(id, `dies-${id}`));
    expect(died.status).toBeGreaterThanOrEqual(500);
    expect(await counts()).toEqual(before);
    const first = await ask(id, `dies-${id}`);
    expect(first.status).toBe(routeOf(id).status);
    const once = await counts();
    expect(once).toMatchObject({ idempotency_keys: before["idempotency_keys"]! + 1 });
    const repeat = await ask(id, `dies-${id}`);
    expect([repeat.status, await repeat.json()]).toEqual([first.status, await first.json()]);
    expect(await counts()).toEqual(once);
  },
);

test("a key longer than 255 characters is refused, and keeps nothing", async () => {
  const before = await counts();
  const refused = await ask("createToken", "k".repeat(256));
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { code: "invalid", detail: expect.stringMatching(/256 characters, and may have 255: take a UUID/) },
  ]);
  expect(await counts()).toEqual(before);
  expect((await ask("createToken", "k".repeat(255))).status).toBe(201);
});

test("two at once with one key create one thing, and the second is told to wait or what the first was", async () => {
  const before = await counts();
  const answers = await Promise.all([1, 2, 3, 4].map(() => ask("createToken", "at-once")));
  const bodies = await Promise.all(answers.map((answer) => answer.json() as Promise<{ code?: string }>));
  const made = bodies.filter((_, at) => answers[at]!.status === 201);
  expect(made.length).toBeGreaterThan(0);
  for (const body of made) expect(body).toEqual(made[0]);
  for (const body of bodies.filter((body) => !made.includes(body))) expect(body.code).toBe("conflict");
  expect((await counts())["api_tokens"]).toBe(before["api_tokens"]! + 1);
});

test("a request that is refused leaves its key free", async () => {
  const key = "refused-first";
  expect((await ask("createWorkspace", key)).status).toBe(409);
  creating["createWorkspace"] = { slug: "fresh" };
  expect((await ask("createWorkspace", key)).status).toBe(201);
});
