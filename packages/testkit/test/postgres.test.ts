import { Client } from "pg";
import { expect, test } from "vitest";
import { openTestDatabase } from "@starform/testkit/postgres";

const run = async (url: string, sql: string) => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

test("every test database is a real PostgreSQL of its own, and is gone after use", async () => {
  let url: string;
  {
    await using one = await openTestDatabase();
    await using other = await openTestDatabase();
    url = one.url;
    await run(one.url, "create table seen (n int)");
    expect(await run(other.url, "select to_regclass('seen') as seen")).toEqual([{ seen: null }]);
    expect(
      await run(one.url, "select current_setting('server_version_num')::int >= 150000 as recent"),
    ).toEqual([{ recent: true }]);
  }
  await expect(run(url, "select 1")).rejects.toMatchObject({ code: "3D000" });
});
