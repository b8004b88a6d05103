import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePortBase } from "@starform/testkit/platform";
import { openTestDatabase } from "@starform/testkit/postgres";
import pg from "pg";
import { afterEach, expect, test, vi } from "vitest";
import { supervisorOf, type PlatformDescription } from "../src/data-dir/state.ts";
import { freePort } from "../src/postgres/start-throw-away.ts";
import { aClone, command } from "./a-clone.ts";

vi.setConfig({ testTimeout: 240_000 });
afterEach(() => void vi.unstubAllEnvs());

/** A clone whose migration is the real one: what it does to a database, and what it says of it. */
function aMigratingClone() {
  const clone = aClone();
  const real = fileURLToPath(new URL("../../starbase/bin/migrate.ts", import.meta.url));
  writeFileSync(join(clone.root, "apps/starbase/bin/migrate.ts"), `import ${JSON.stringify(real)};`);
  return clone;
}
type Clone = ReturnType<typeof aClone>;

async function start({ root, dataDir }: Clone, databaseUrl?: string, ...more: string[]) {
  vi.stubEnv("DATABASE_URL", databaseUrl);
  const flags = ["--runtime", "process", "--no-system-packages", "--data-dir", dataDir];
  const base = await freePortBase();
  const said = await command(
    "start",
    root,
    "--detach",
    "--json",
    "--port-base",
    String(base),
    ...flags,
    ...more,
  );
  // Steps are told by a mark before them.
  const told = said.stderr.split("\n").filter((line) => line && !/^[✓✗…-] /.test(line));
  return { ...said, told, attempts: said.stderr.split("starting it again").length - 1 };
}
const stop = ({ root, dataDir }: Clone) => command("stop", root, "--json", "--data-dir", dataDir);
const leftRunning = ({ dataDir }: Clone) =>
  readdirSync(join(dataDir, "run")).filter((name) => /\.pid$|^lock|^state\.json/.test(name));

async function ask<T>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test("a database of a newer version ends the start at once, with one sentence, and so does a password that it refuses", async () => {
  using clone = aMigratingClone();
  expect(await start(clone)).toMatchObject({ code: 0 });
  const url = readFileSync(join(clone.dataDir, "secrets/database-url"), "utf8").trim();
  await ask(url, "insert into schema_migrations (name, digest) values ('9999_of_later.sql', 'd')");
  using other = aMigratingClone();
  const wrong = new URL(url);
  wrong.password = "not-the-password";
  const refused = await start(other, wrong.href);
  await stop(clone);
  expect(refused).toMatchObject({ code: 1, stdout: "", attempts: 0 });
  expect(refused.told).toEqual([
    `the PostgreSQL at ${wrong.host} refuses the password of starform: correct DATABASE_URL`,
  ]);
  const newer = await start(clone);
  expect(newer).toMatchObject({ code: 1, stdout: "", attempts: 0 });
  expect(newer.told).toEqual([
    "this database was migrated by a newer Starform (it has 9999_of_later.sql, which this build does not know): update this one (git pull), or restore a backup made before; nothing was changed",
  ]);
  expect([...leftRunning(clone), ...leftRunning(other)]).toEqual([]);
});

const foreignKey = [
  "what is sealed in this database was sealed with another encryption key k1 than the one configured: bring back secrets/encryption.key of the data directory it was used with, or use an empty database",
];

test("the embedded database is refused to another key than it was sealed with, though nothing else has changed since the last start", async () => {
  using clone = aMigratingClone();
  // With these a start notes what it did, and looks at the database again only if they or the key have changed.
  const migrations = join(clone.root, "apps/starbase/db/migrations");
  mkdirSync(migrations, { recursive: true });
  writeFileSync(join(migrations, "0001_one.sql"), "select 1");
  expect(await start(clone)).toMatchObject({ code: 0 });
  await stop(clone);
  expect(existsSync(join(clone.dataDir, "postgres/starform-schema"))).toBe(true);
  const other = Buffer.alloc(32, 8).toString("base64");
  writeFileSync(join(clone.dataDir, "secrets/encryption.key"), `k1:${other}`);
  expect(await start(clone)).toMatchObject({ code: 1, stdout: "", told: foreignKey });
  expect(leftRunning(clone)).toEqual([]);
});

test("a start with DATABASE_URL keeps everything there, for its own key alone, and starts no PostgreSQL of its own", async () => {
  await using database = await openTestDatabase();
  using clone = aMigratingClone();
  const { code, stdout } = await start(clone, database.url);
  const { stdout: status } = await command("status", clone.root, "--json", "--data-dir", clone.dataDir);
  const migrated = await ask(database.url, "select name from schema_migrations");
  const commandLine = readFileSync(`/proc/${supervisorOf(clone.dataDir)}/cmdline`, "utf8");
  await stop(clone);
  const key = readFileSync(join(clone.dataDir, "secrets/encryption.key"));
  const fresh = await start(clone, database.url, "--fresh");
  using other = aMigratingClone();
  expect(await start(other, database.url)).toMatchObject({ code: 1, stdout: "", told: foreignKey });
  expect(code).toBe(0);
  expect((JSON.parse(stdout) as PlatformDescription).stores["database"]).toBe(
    "the PostgreSQL of DATABASE_URL",
  );
  const names = (JSON.parse(status) as { processes: { name: string }[] }).processes.map(({ name }) => name);
  expect(names).toContain("api");
  expect(names).not.toContain("postgres");
  expect(existsSync(join(clone.dataDir, "postgres"))).toBe(false);
  expect(migrated.length).toBeGreaterThan(4);
  expect(commandLine).toContain("detached.ts");
  expect(commandLine).not.toContain(database.url);
  expect(fresh).toMatchObject({ code: 1, stdout: "" });
  expect(fresh.told).toEqual([
    expect.stringMatching(
      /^--fresh would delete the key that opens what is kept at DATABASE_URL: start without/,
    ),
  ]);
  expect(readFileSync(join(clone.dataDir, "secrets/encryption.key"))).toEqual(key);
});

test("a DATABASE_URL where nobody answers is tried a few times, then told with host and port, without the password", async () => {
  using clone = aMigratingClone();
  const port = await freePort();
  const { code, told, attempts, stderr } = await start(
    clone,
    `postgresql://me:hunter2@127.0.0.1:${port}/shop`,
  );
  expect(code).toBe(1);
  expect(attempts).toBeGreaterThan(2);
  expect(told).toEqual([
    `no PostgreSQL can be reached at 127.0.0.1:${port} (ECONNREFUSED): start it, or correct DATABASE_URL`,
  ]);
  expect(stderr).not.toContain("hunter2");
  expect(leftRunning(clone)).toEqual([]);
});

test.each(["mysql://me:hunter2@127.0.0.1/shop", "postgresql://me:hunter2@:no port/shop"])(
  "the DATABASE_URL %s is refused before anything is made",
  async (url) => {
    using clone = aMigratingClone();
    expect(await start(clone, url)).toMatchObject({
      code: 1,
      told: [
        "DATABASE_URL must be written postgresql://user:password@host:port/database; unset it to use the embedded PostgreSQL",
      ],
    });
    expect(existsSync(clone.dataDir)).toBe(false);
  },
);
