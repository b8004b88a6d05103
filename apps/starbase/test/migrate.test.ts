import { openTestDatabase } from "@starform/testkit/postgres";
import pg from "pg";
import { expect, test } from "vitest";
import { migrate, migrations } from "../src/adapters/postgres/migrate.ts";

const one = { name: "9001_one.sql", sql: "create table one (id int)", digest: "d1" };
const two = { name: "9002_two.sql", sql: "create table two (id int)", digest: "d2" };

async function onEmpty<T>(work: (url: string, client: pg.Client) => Promise<T>): Promise<T> {
  await using database = await openTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query("drop schema public cascade");
    await client.query("create schema public");
    return await work(database.url, client);
  } finally {
    await client.end();
  }
}
const tables = async (client: pg.Client) =>
  (
    await client.query(
      "select table_name from information_schema.tables where table_schema = 'public' order by 1",
    )
  ).rows.map((row) => row.table_name as string);

test("applies each migration once, though two processes start at once", () =>
  onEmpty(async (url, client) => {
    await Promise.all([migrate(url, [one, two]), migrate(url, [one, two])]);
    expect(await tables(client)).toEqual(["one", "schema_migrations", "two"]);
  }));

test("leaves nothing of a migration that fails half way", () =>
  onEmpty(async (url, client) => {
    const broken = { ...two, sql: "create table half (id int); select nonsense" };
    await expect(migrate(url, [one, broken])).rejects.toThrow(/9002_two.sql failed/);
    expect(await tables(client)).toEqual(["one", "schema_migrations"]);
  }));

test("refuses a database of a newer build, and a migration changed after it was applied", () =>
  onEmpty(async (url) => {
    await migrate(url, [one, two]);
    await expect(migrate(url, [one])).rejects.toThrow(/newer Starform.*9002_two.sql/);
    await expect(migrate(url, [one, { ...two, digest: "other" }])).rejects.toThrow(
      /9002_two.sql was changed/,
    );
  }));

test("brings an empty database to the schema of this build", () =>
  onEmpty(async (url, client) => {
    expect(migrations().length).toBeGreaterThan(4);
    await migrate(url);
    expect(await tables(client)).toContain("deployments");
  }));
