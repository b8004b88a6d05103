import { gzipSync } from "node:zlib";
import * as deployments from "@starform/contract/deployments";
import { imageAllowances, type ImageAllowance } from "@starform/contract/image-allowances";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { secretBox } from "../src/adapters/local/secret-box.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresStores, postgresTransact } from "../src/adapters/postgres/stores.ts";
import { deploymentProgress } from "../src/core/deployments/progress.ts";
import { collectImages, type CollectionEvent } from "../src/core/images/collect-images.ts";
import type { ImageStore, StoredImage } from "../src/ports/registry-provider.ts";
import { aProject, openApiWorld, ownerToken, report, type ApiWorld } from "./api-world.ts";

const dayMs = 86_400_000;
let world: ApiWorld;
let database: Database;
let shop: Awaited<ReturnType<typeof aProject>>;
beforeAll(async () => {
  world = await openApiWorld();
  database = openDatabase({ url: world.config.database.url, poolMax: 6, onError: () => undefined });
});
beforeEach(async () => {
  shop = await aProject(world);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const imageOf = (letter: string) =>
  `starform.local/${shop.project.id}/${shop.service.id}@${digestOf(letter)}`;

/** A store in memory, whose removals can be made to fail or to wait. */
function aStore() {
  const held = new Map<string, StoredImage>();
  let before: (digest: string) => Promise<void> = async () => undefined;
  const store: ImageStore = {
    title: "the store of the test",
    prefix: "starform.local",
    repositories: async () => [{ projectId: shop.project.id, serviceId: shop.service.id }],
    images: async () => [...held.values()],
    async remove(_, digest) {
      await before(digest);
      held.delete(digest);
    },
  };
  return {
    store,
    keep(letter: string, daysOld = 100, sizeBytes = 100) {
      const storedAt = new Date(Date.now() - daysOld * dayMs);
      held.set(digestOf(letter), { digest: digestOf(letter), tags: [], sizeBytes, storedAt });
    },
    beforeRemoval: (act: typeof before) => void (before = act),
    letters: () =>
      [...held.keys()]
        .map((digest) => digest.slice(-1))
        .toSorted()
        .join(""),
  };
}
type Store = ReturnType<typeof aStore>;

function collector({ store }: Store, allowance: Partial<ImageAllowance> = {}) {
  const events: CollectionEvent[] = [];
  const collect = collectImages({
    stores: [store],
    retention: postgresStores(database.db).retention,
    transact: postgresTransact(database.db),
    clock: { now: () => new Date() },
    allowanceOf: (plan) => ({ ...imageAllowances[plan], ...allowance }),
    tell: (event) => events.push(event),
  });
  return { events, collect: () => collect(AbortSignal.timeout(60_000)) };
}

const progress = () =>
  deploymentProgress({
    transact: postgresTransact(database.db),
    clock: { now: () => new Date() },
    box: secretBox(world.config.encryptionKeys),
  });

/** What a folder of that content is deployed as; equal content needs no second build. */
async function deploy(content: string) {
  const response = await fetch(
    `${world.url}/v1/projects/${shop.ref.project}/services/${shop.ref.service}/sources`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
      body: gzipSync(Buffer.concat([Buffer.alloc(1_024), Buffer.from(content)])) as BodyInit,
    },
  );
  const { sourceId } = (await response.json()) as { sourceId: string };
  return world.owner(deployments.createDeployment, { params: shop.ref, query: {}, body: { sourceId } });
}
const finish = (id: string, letter: string) =>
  progress().finishBuild(id, {
    image: imageOf(letter),
    imageDigest: digestOf(letter),
    sizeBytes: 100,
    info: {},
    fileSettings: {},
  });

/** Deploys a folder, builds it into that image and has it serve, so many days ago. */
async function served(letter: string, daysAgo = 0) {
  const made = await deploy(letter);
  await progress().beginBuild(made.id);
  await finish(made.id, letter);
  await report(world, made);
  const at = new Date(Date.now() - daysAgo * dayMs);
  await sql`update deployments set ended_at = ${at}, created_at = ${at} where id = ${made.id}`.execute(
    database.db,
  );
  return made;
}

const markOf = async (letter: string) =>
  postgresStores(database.db).retention.find(shop.project.id, imageOf(letter));
const rollBack = (id: string) => world.owner(deployments.rollBackDeployment, { params: { deployment: id } });

/** A first that served long ago, with eleven after it: nothing can be rolled back to it any more. */
async function withAnOldOne(store: Store) {
  const first = await served("0", 200);
  for (const letter of "123456789ab") await served(letter, 100);
  for (const letter of "0123456789ab") store.keep(letter);
  return first;
}

describe("collecting images", () => {
  test("removes what nothing can be rolled back to, and says what and why", async () => {
    const store = aStore();
    const first = await withAnOldOne(store);
    store.keep("f", 1);
    const { collect, events } = collector(store);
    expect(await collect()).toEqual({ removed: 2 });
    expect(store.letters()).toBe("23456789abf");
    expect(events).toContainEqual({
      kind: "removed",
      image: imageOf("0"),
      why: "age",
      sizeBytes: 100,
    });
    expect(await collect()).toEqual({ removed: 0 });
    const refused = {
      code: "gone",
      message: expect.stringMatching(/#1 was collected on \d{4}.*starform up/),
    };
    await expect(rollBack(first.id)).rejects.toMatchObject(refused);
    const [kept] = (
      await world.owner(deployments.listDeployments, { params: shop.ref, query: { limit: 5 } })
    ).items.slice(-1);
    expect(await rollBack(kept!.id)).toMatchObject({ rollbackOf: kept!.id });
  });

  test("takes the longest unused first when a workspace has outgrown its plan, and tells what receipts hold", async () => {
    const store = aStore();
    await served("a");
    store.keep("a", 3, 500);
    for (const [letter, days] of [
      ["b", 3],
      ["c", 2],
      ["d", 1],
    ] as const)
      store.keep(letter, days);
    await collector(store, { bytesMax: 650 }).collect();
    expect(store.letters()).toBe("ad");
    const { collect, events } = collector(store, { bytesMax: 400 });
    await collect();
    expect(store.letters()).toBe("a");
    expect(events).toContainEqual({
      kind: "over",
      workspaceId: shop.project.workspaceId,
      bytesOver: 100,
      bytesMax: 400,
    });
  });

  test("leaves images alone whose service this installation does not have", async () => {
    const store = aStore();
    store.keep("a");
    const other = { ...store, store: { ...store.store } };
    other.store.repositories = async () => [
      { projectId: shop.project.id, serviceId: crypto.randomUUID() },
      { projectId: crypto.randomUUID(), serviceId: shop.service.id },
    ];
    expect(await collector(other).collect()).toEqual({ removed: 0 });
    expect(store.letters()).toBe("a");
  });

  test("goes on where a killed run ended: marked, and not removed", async () => {
    const store = aStore();
    store.keep("a");
    store.keep("b");
    store.beforeRemoval(async () => {
      throw new Error("killed here");
    });
    const { collect, events } = collector(store);
    expect(await collect()).toEqual({ removed: 0 });
    expect(events).toContainEqual({ kind: "left", image: imageOf("a"), because: "killed here" });
    expect(await markOf("a")).toMatchObject({ removedAt: null, reason: "age" });
    store.beforeRemoval(async () => undefined);
    expect(await collect()).toEqual({ removed: 2 });
    expect(await markOf("a")).toMatchObject({ removedAt: expect.any(Date) });
  });

  test("two at once remove each image once", async () => {
    const store = aStore();
    for (const letter of "abcdef") store.keep(letter);
    const [one, two] = [collector(store), collector(store)];
    const [first, second] = await Promise.all([one.collect(), two.collect()]);
    expect(first.removed + second.removed).toBe(6);
    const removed = [...one.events, ...two.events].filter(({ kind }) => kind === "removed");
    expect(removed).toHaveLength(6);
    expect(store.letters()).toBe("");
  });
});

describe("a build of the same source", () => {
  const long = { restDaysMax: 0, bytesMax: 0, rollBackDays: 0 };
  /** Built and cancelled before it served, so that nothing needs it. */
  async function unused(letter: string, store: Store) {
    const made = await deploy(letter);
    await progress().beginBuild(made.id);
    await finish(made.id, letter);
    await world.owner(deployments.cancelDeployment, { params: { deployment: made.id } });
    store.keep(letter);
  }

  test("takes the image up that it finds, and then it is not collected", async () => {
    const store = aStore();
    await served("a");
    await unused("b", store);
    const again = await deploy("b");
    expect(again).toMatchObject({ image: imageOf("b"), status: "deploying" });
    expect(await collector(store, long).collect()).toEqual({ removed: 0 });
    expect(store.letters()).toBe("b");
  });

  test("is built anew once the image was given up, and has it again", async () => {
    const store = aStore();
    await served("a");
    await unused("b", store);
    expect(await collector(store, long).collect()).toEqual({ removed: 1 });
    const again = await deploy("b");
    expect(again).toMatchObject({ image: null, status: "pending" });
    await progress().beginBuild(again.id);
    store.keep("b");
    await finish(again.id, "b");
    expect(await markOf("b")).toBeUndefined();
    await report(world, again);
    expect(await collector(store, long).collect()).toEqual({ removed: 0 });
    expect(store.letters()).toBe("b");
  });

  test("keeps a marked image from being removed while it is built into it again", async () => {
    const store = aStore();
    await served("a");
    await unused("b", store);
    store.beforeRemoval(async () => {
      throw new Error("killed here");
    });
    await collector(store, long).collect();
    store.beforeRemoval(async () => undefined);
    const again = await deploy("b");
    expect(again).toMatchObject({ image: null });
    await progress().beginBuild(again.id);
    expect(await collector(store, long).collect()).toEqual({ removed: 0 });
    await finish(again.id, "b");
    expect(await collector(store, long).collect()).toEqual({ removed: 0 });
    expect(store.letters()).toBe("b");
  });

  test("never takes up what goes at the same moment, in whatever order they meet", async () => {
    const store = aStore();
    await served("a");
    for (let round = 0; round < 8; round++) {
      const letter = "bcdef012"[round]!;
      await unused(letter, store);
      const [again] = await Promise.all([deploy(letter), collector(store, long).collect()]);
      const isTaken = again.image === imageOf(letter);
      expect(store.letters().includes(letter)).toBe(isTaken);
      await world.owner(deployments.cancelDeployment, { params: { deployment: again.id } });
    }
  });

  test("does not begin while an image of its service is being removed", async () => {
    const store = aStore();
    await served("a");
    await unused("b", store);
    let letGo = () => {};
    const removing = new Promise<void>((begun) =>
      store.beforeRemoval(() => {
        begun();
        return new Promise((resolve) => (letGo = resolve));
      }),
    );
    const collecting = collector(store, long).collect();
    await removing;
    const deploying = deploy("b");
    await until("the deployment to wait for the lock", async () => {
      const { rows } = await sql<{ waiting: string }>`
        select count(*) as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(database.db);
      return Number(rows[0]?.waiting) > 0;
    });
    letGo();
    expect(await collecting).toEqual({ removed: 1 });
    expect(await deploying).toMatchObject({ image: null, status: "pending" });
  });
});
