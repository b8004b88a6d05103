import { randomUUID } from "node:crypto";
import { openTestDatabase } from "@starform/testkit/postgres";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { postgresHeadLedger } from "../src/adapters/postgres/head-ledger.ts";
import type { HeadLedger } from "../src/core/builds/head-ledger.ts";
import { memoryHeadLedger } from "./memory-head-ledger.ts";

type UnderTest = AsyncDisposable & { readonly ledger: HeadLedger; readonly serviceId: string };

const inMemory = async (): Promise<UnderTest> => ({
  ledger: memoryHeadLedger(),
  serviceId: randomUUID(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

async function inPostgres(): Promise<UnderTest> {
  const database = await openTestDatabase();
  const serviceId = await aService(database.url);
  const opened = openDatabase({ url: database.url, poolMax: 4, onError: () => undefined });
  return {
    ledger: postgresHeadLedger(opened.db),
    serviceId,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Rows of no meaning where the schema wants some: the ledger only needs a service to exist. */
async function aService(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const id = randomUUID();
  await client.query("set session_replication_role = replica");
  await client.query(
    `insert into services (id, workspace_id, project_id, name, type, source, created_at, updated_at)
     values ($1, $1, $1, 'web', 'web', '{}', now(), now())`,
    [id],
  );
  await client.end();
  return id;
}

describe.each([
  { name: "memory", open: inMemory },
  { name: "postgres", open: inPostgres },
])("$name head ledger", ({ open }) => {
  test("gives a head to exactly one of many who claim it, and a new commit of the branch again to one", async () => {
    await using under = await open();
    const { ledger, serviceId } = under;
    const claimed = async (sha: string) =>
      (await Promise.all([1, 2, 3, 4].map(() => ledger.claim(serviceId, "refs/heads/main", sha)))).filter(
        Boolean,
      ).length;
    expect(await claimed("a".repeat(40))).toBe(1);
    expect(await claimed("a".repeat(40))).toBe(0);
    expect(await claimed("b".repeat(40))).toBe(1);
    expect(await claimed("a".repeat(40))).toBe(1);
    expect(await ledger.known(serviceId)).toEqual(new Map([["refs/heads/main", "a".repeat(40)]]));
    await ledger.forget(serviceId, "refs/heads/main");
    expect(await ledger.known(serviceId)).toEqual(new Map());
    expect(await claimed("a".repeat(40))).toBe(1);
  });

  test("gives out again what was claimed and not settled, and nothing that was", async () => {
    await using under = await open();
    const { ledger, serviceId } = under;
    const [open1, done] = ["a".repeat(40), "b".repeat(40)];
    await ledger.claim(serviceId, "refs/heads/open", open1);
    await ledger.claim(serviceId, "refs/heads/done", done);
    await ledger.settle(serviceId, "refs/heads/done", done);
    await ledger.settle(serviceId, "refs/heads/open", done);
    expect(await ledger.reclaim(60_000)).toEqual([]);
    expect(await ledger.reclaim(-1_000)).toEqual([{ serviceId, ref: "refs/heads/open", sha: open1 }]);
  });
});

test("the postgres head ledger claims nothing for a service that is gone", async () => {
  await using under = await inPostgres();
  expect(await under.ledger.claim(randomUUID(), "refs/heads/main", "a".repeat(40))).toBe(false);
});
