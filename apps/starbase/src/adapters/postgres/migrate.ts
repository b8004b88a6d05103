import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fault } from "@starform/std/fault";
import { runMigrations } from "graphile-worker";
import pg from "pg";
import { noConnection } from "./no-connection.ts";

const folder = fileURLToPath(new URL("../../../db/migrations/", import.meta.url));

export type Migration = { readonly name: string; readonly sql: string; readonly digest: string };

/** The migrations of this build, in order. */
export const migrations = (): Migration[] =>
  readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(folder + name, "utf8");
      return { name, sql, digest: createHash("sha256").update(sql).digest("hex") };
    });

/**
 * Brings the schema at `url` to this build's, and the job queue's with it. Two processes may call it at once: one
 * waits for the other. A database that a newer build has migrated, or whose applied migrations differ from ours, is
 * refused with a Fault `conflict` and left as it is; one that lets nobody in, as `noConnection` says.
 */
export async function migrate(url: string, all = migrations()): Promise<void> {
  const client = await connected(url);
  try {
    await client.query("select pg_advisory_lock(hashtext('starform.migrate'))");
    await client.query(
      `create table if not exists schema_migrations (
         name text constraint schema_migrations_pkey primary key, digest text not null, applied_at timestamptz not null default now())`,
    );
    for (const migration of await missing(client, all)) await apply(client, migration);
  } finally {
    await client.end();
  }
  await runMigrations({ connectionString: url });
}

/** Rejects as `migrate` does, and with a Fault `conflict` where the schema at `url` is yet to be brought to this build's. */
export async function requireSchema(url: string, all = migrations()): Promise<void> {
  const client = await connected(url);
  try {
    const { rows } = await client.query("select to_regclass('schema_migrations') is not null as is_there");
    const left = rows[0].is_there ? await missing(client, all) : all;
    if (left.length > 0)
      throw new Fault(
        "conflict",
        `this database has not the schema of this build (it lacks ${left[0]!.name}): run apps/starbase/bin/migrate.ts with the same settings first`,
      );
  } finally {
    await client.end();
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect().catch((error: unknown) => {
    throw noConnection(client, error);
  });
  return client;
}

/** What is yet to be applied. */
async function missing(client: pg.Client, all: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; digest: string }>(
    "select name, digest from schema_migrations",
  );
  refuseUnknown(rows, all);
  const applied = new Set(rows.map((row) => row.name));
  return all.filter((migration) => !applied.has(migration.name));
}

function refuseUnknown(rows: { name: string; digest: string }[], all: readonly Migration[]): void {
  for (const row of rows) {
    const ours = all.find((migration) => migration.name === row.name);
    if (!ours)
      throw new Fault(
        "conflict",
        `this database was migrated by a newer Starform (it has ${row.name}, which this build does not know): update this one (git pull), or restore a backup made before; nothing was changed`,
      );
    if (ours.digest !== row.digest)
      throw new Fault(
        "conflict",
        `migration ${row.name} was changed after it had been applied here: migrations are never edited, add a new one`,
      );
  }
}

async function apply(client: pg.Client, { name, sql, digest }: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query("insert into schema_migrations (name, digest) values ($1, $2)", [name, digest]);
    await client.query(sql);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
