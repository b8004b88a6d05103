import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as workspaces from "@starform/contract/workspaces";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { postgresStores } from "../src/adapters/postgres/stores.ts";
import { pushedTrees } from "../src/adapters/sources/pushed-trees.ts";
import { acceptLostPush } from "../src/core/deployments/push.ts";
import { openSources } from "../src/wiring/git.ts";
import { aProject, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";
import { aRepository } from "./git-http.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

type Ref = { project: string; service: string; environment?: string };
const list = async ({ environment = "production", ...ref }: Ref) =>
  (await world.owner(deployments.listDeployments, { params: ref, query: { environment } })).items;
const watch = ({ environment = "production", ...ref }: Ref, watchPaths: string[]) =>
  world.owner(services.updateService, {
    params: ref,
    query: { environment },
    body: { settings: { branch: "main", watchPaths } },
  });

/** A monorepo of two apps, as somebody has it on their machine. */
async function aMonorepo() {
  const repository = await aRepository({ "README.md": "1\n" });
  for (const folder of ["apps/api", "apps/web"])
    await mkdir(join(repository.dir, folder), { recursive: true });
  await repository.commit({ "apps/api/index.js": "1\n", "apps/web/index.js": "1\n" });
  /** Pushes, and leaves as soon as a deployment has begun: nobody builds here. */
  const push = async (ref: Ref, ...args: string[]): Promise<string> => {
    const remote = new URL(`${world.url}/git/${ref.project}/${ref.service}.git`);
    Object.assign(remote, { username: "x", password: ownerToken });
    const begun = new AbortController();
    const known = new Set((await list(ref)).map(({ id }) => id));
    const pushing = repository.gitUntil(begun.signal, "push", remote.toString(), ...args);
    let isOver = false;
    void pushing.then(() => (isOver = true));
    await until(
      "it deploys, or is told why not",
      async () => isOver || (await list(ref)).some(({ id }) => !known.has(id)),
    );
    if (!isOver) begun.abort();
    return (await pushing).text;
  };
  return { ...repository, push };
}

/** What Worker and Shuttle would have made of the newest deployment. */
async function isDeployed(ref: Ref): Promise<string> {
  const [newest] = await list(ref);
  await using database = openDatabase({
    url: world.config.database.url,
    poolMax: 1,
    onError: () => undefined,
  });
  await sql`
    update deployments set status = 'deployed', ended_at = now(), deploying_at = now(),
      image = 'starform.local/shop/web:1', image_digest = ${`sha256:${"a".repeat(64)}`},
      config = '{"serviceName":"web","serviceType":"web","tier":"mininova","startCommand":null,"healthCheck":null,"schedule":null}'
    where id = ${newest!.id}::uuid`.execute(database.db);
  return newest!.id;
}

describe("a service with watch paths", () => {
  test("deploys the first push, then those that change one of them, and says why the others deploy nothing", async () => {
    const { ref } = await aProject(world);
    await watch(ref, ["apps/api/**", "/package.json"]);
    await using repository = await aMonorepo();
    await repository.push(ref, "main");
    expect(await list(ref)).toHaveLength(1);

    const before = (await repository.git("rev-parse", "--short=7", "HEAD")).text.trim();
    await repository.commit({ "apps/web/index.js": "2\n" });
    expect(await repository.push(ref, "main")).toContain(
      `production: not deployed: since #1 (${before}) nothing changed in the watch paths of web (apps/api/**, /package.json); \`starform redeploy --ref main\` deploys it all the same`,
    );
    expect(await list(ref)).toHaveLength(1);
    const audit = await world.owner(workspaces.listAudit, { params: { workspace: "home" }, query: {} });
    expect(audit.items[0]).toMatchObject({
      event: "push.not_deployed",
      subject: "web",
      detail: { environment: "production", since: 1, watchPaths: ["apps/api/**", "/package.json"] },
    });

    await repository.commit({ "apps/api/index.js": "2\n" });
    await repository.push(ref, "main");
    expect(await list(ref)).toHaveLength(2);
  });

  test("takes what a deployment that failed or was cancelled would have brought with the next push", async () => {
    const { ref } = await aProject(world);
    await watch(ref, ["apps/api/**"]);
    await using repository = await aMonorepo();
    await repository.push(ref, "main");
    await isDeployed(ref);
    await repository.commit({ "apps/api/index.js": "2\n" });
    await repository.push(ref, "main");
    const [second] = await list(ref);
    await world.owner(deployments.cancelDeployment, { params: { deployment: second!.id } });
    await repository.commit({ "README.md": "2\n" });
    await repository.push(ref, "main");
    expect((await list(ref)).map(({ number, status }) => [number, status])).toEqual([
      [3, "pending"],
      [2, "cancelled"],
      [1, "deployed"],
    ]);
  });

  test("looks at what a forced push and a merge change in the end, whatever way they came", async () => {
    const { ref } = await aProject(world);
    await watch(ref, ["apps/api/**"]);
    await using repository = await aMonorepo();
    await repository.push(ref, "main");

    await repository.git("commit", "--quiet", "--amend", "--message", "the same in other words");
    expect(await repository.push(ref, "--force", "main")).toContain("not deployed: since #1");
    await repository.git("commit", "--quiet", "--amend", "--message", "an orphan's tree");
    await repository.git("checkout", "--quiet", "--orphan", "again");
    await repository.commit({ "apps/api/index.js": "other\n" });
    await repository.push(ref, "--force", "again:main");
    expect(await list(ref)).toHaveLength(2);

    await repository.git("checkout", "--quiet", "-b", "feature");
    await repository.commit({ "apps/web/index.js": "feature\n" });
    await repository.git("checkout", "--quiet", "again");
    await repository.commit({ "README.md": "beside it\n" });
    await repository.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature");
    expect(await repository.push(ref, "again:main")).toContain("not deployed: since #2");
    await repository.git("checkout", "--quiet", "feature");
    await repository.commit({ "apps/api/index.js": "feature\n" });
    await repository.git("checkout", "--quiet", "again");
    await repository.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature");
    await repository.push(ref, "again:main");
    expect(await list(ref)).toHaveLength(3);
  });

  test("is judged for itself: of two services of one repository a push deploys the one it touches", async () => {
    const { ref: api } = await aProject(world, { name: "api" });
    const web = { project: api.project, service: "web" };
    await world.owner(services.createService, {
      params: { project: api.project },
      body: { name: "web", settings: { watchPaths: ["apps/web"] } },
    });
    await watch(api, ["apps/api"]);
    await using repository = await aMonorepo();
    for (const ref of [api, web]) await repository.push(ref, "main");
    await repository.commit({ "apps/web/index.js": "2\n" });
    expect(await repository.push(api, "main")).toContain(
      "nothing changed in the watch paths of api (apps/api)",
    );
    await repository.push(web, "main");
    expect([(await list(api)).length, (await list(web)).length]).toEqual([1, 2]);
  });

  test("is judged in each environment by what was last built there", async () => {
    const { ref } = await aProject(world);
    await world.owner(projects.createEnvironment, {
      params: { project: ref.project },
      body: { name: "staging" },
    });
    await watch(ref, ["apps/api"]);
    const staging = { ...ref, environment: "staging" };
    await watch(staging, ["apps/web"]);
    await using repository = await aMonorepo();
    await repository.push(staging, "main");
    await repository.commit({ "apps/web/index.js": "2\n" });
    await repository.push(staging, "main");
    expect([(await list(ref)).length, (await list(staging)).length]).toEqual([1, 2]);
  });

  test("follows the starform.json of the pushed commit before its settings, and deploys a change of that file", async () => {
    const { ref } = await aProject(world);
    await watch(ref, ["apps/web/**"]);
    await using repository = await aMonorepo();
    const file = (watchPaths: string[]) => ({ "starform.json": JSON.stringify({ watchPaths }) });
    await repository.commit(file(["nothing"]));
    await repository.push(ref, "main");
    await repository.commit({ "apps/web/index.js": "2\n" });
    expect(await repository.push(ref, "main")).toContain("not deployed: since #1");
    await repository.commit(file(["apps/api/**"]));
    await repository.push(ref, "main");
    expect(await list(ref)).toHaveLength(2);
    await repository.commit({ "apps/api/index.js": "2\n" });
    await repository.push(ref, "main");
    expect(await list(ref)).toHaveLength(3);
    await repository.commit({ "starform.json": "{" });
    await repository.push(ref, "main");
    // The build refuses it, with its reason.
    expect(await list(ref)).toHaveLength(4);
  });

  test("stays rolled back when a push changes nothing of it", async () => {
    const { ref } = await aProject(world);
    await watch(ref, ["apps/api"]);
    await using repository = await aMonorepo();
    await repository.push(ref, "main");
    const good = await isDeployed(ref);
    await repository.commit({ "apps/api/index.js": "bad\n" });
    await repository.push(ref, "main");
    await isDeployed(ref);
    await world.owner(deployments.rollBackDeployment, { params: { deployment: good } });
    await repository.commit({ "README.md": "2\n" });
    expect(await repository.push(ref, "main")).toContain("not deployed: since #2");
  });

  test("is judged the same when the Worker hands on a push that was lost", async () => {
    const { ref, service } = await aProject(world);
    await watch(ref, ["apps/api"]);
    await using repository = await aMonorepo();
    await repository.push(ref, "main");
    const newSha = await repository.commit({ "README.md": "2\n" });
    await repository.push(ref, "main:kept");
    await using database = openDatabase({
      url: world.config.database.url,
      poolMax: 1,
      onError: () => undefined,
    });
    const sources = openSources(world.config);
    const handOn = acceptLostPush({
      stores: postgresStores(database.db),
      trees: pushedTrees(sources),
      clock: { now: () => new Date() },
      createDeployment: () => Promise.reject(new Error("it would have been deployed")),
    });
    const commit = (await sources.commitOf(service.id, newSha, "main"))!;
    const update = { ref: "refs/heads/main", oldSha: "0".repeat(40), newSha, commit };
    expect(await handOn(service.id, update)).toMatchObject([
      { kind: "nothing", message: expect.stringContaining("not deployed: since #1") as string },
    ]);
  });
});

test("without watch paths every push deploys", async () => {
  const { ref } = await aProject(world);
  await using repository = await aMonorepo();
  await repository.push(ref, "main");
  await repository.commit({ "README.md": "2\n" });
  await repository.push(ref, "main");
  expect(await list(ref)).toHaveLength(2);
});

test("watch paths that would mean something else than they seem are refused", async () => {
  const { ref } = await aProject(world);
  await expect(watch(ref, ["apps/{web,api}/**"])).rejects.toMatchObject({ code: "invalid" });
});
