import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresStores } from "../src/adapters/postgres/stores.ts";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { collectCopies } from "../src/core/builds/collect-copies.ts";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";
import { aRepository } from "./git-http.ts";

let world: ApiWorld;
let database: Database;
let dir: string;
beforeAll(async () => {
  world = await openApiWorld();
  database = openDatabase({ url: world.config.database.url, poolMax: 1, onError: () => undefined });
  dir = await mkdtemp(path.join(tmpdir(), "collect-copies-"));
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const never = new AbortController().signal;

test("copies of what was fetched go two weeks after their last use, and a day after it with their service", async () => {
  await using repository = await aRepository();
  const gitDir = path.join(dir, "git");
  const store = folderSourceStore({ gitDir, sourcesDir: path.join(dir, "sources"), isFileAllowed: true });
  const fetch = async (id: string) => {
    const into = path.join(dir, randomUUID());
    await mkdir(into);
    const source = { kind: "git", url: `file://${repository.dir}`, ref: "main" } as const;
    await store.checkOut(id, source, into, never);
  };
  const { service } = await aProject(world);
  const deleted = randomUUID();
  await fetch(service.id);
  await fetch(deleted);
  const left = async (days: number) => {
    const clock = { now: () => new Date(Date.now() + days * 86_400_000) };
    await collectCopies({ stores: postgresStores(database.db), copies: store, clock })(never);
    return (await readdir(path.join(gitDir, "fetched"))).toSorted();
  };
  expect(await left(0.9)).toEqual([`${deleted}.git`, `${service.id}.git`].toSorted());
  expect(await left(1.1)).toEqual([`${service.id}.git`]);
  expect(await left(13.9)).toEqual([`${service.id}.git`]);
  expect(await left(14.1)).toEqual([]);
  // One that is used again meanwhile stays, and one that went is fetched anew.
  await fetch(service.id);
  expect(await store.removeCopy(service.id, new Date(Date.now() - 60_000))).toBe(false);
  expect(await left(0)).toEqual([`${service.id}.git`]);
});
