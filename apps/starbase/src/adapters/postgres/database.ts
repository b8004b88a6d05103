import { createHash } from "node:crypto";
import { Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import type { DB } from "./schema.gen.ts";

/** The database, or one transaction on it: every store works over either. */
export type Db = Kysely<DB> | Transaction<DB>;

// int8 counters stay far below 2^53 here.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * A client that names every parametrised statement by its text, so that Postgres plans each once per connection. Reads
 * at 100 users took half the time of unnamed statements when the two were measured side by side.
 */
class PreparingClient extends pg.Client {
  // pg's own signature is a bundle of overloads; only kysely's way of calling is changed, the rest passes through.
  // oxlint-disable-next-line typescript/no-explicit-any
  override query(...args: any[]): any {
    const [text, values] = args;
    if (typeof text === "string" && Array.isArray(values) && values.length > 0)
      args.splice(0, 2, { name: statementName(text), text, values });
    return (super.query as (...a: unknown[]) => unknown)(...args);
  }
}

const names = new Map<string, string>();
function statementName(text: string): string {
  let name = names.get(text);
  if (!name) {
    name = createHash("sha1").update(text).digest("hex");
    if (names.size < 2_000) names.set(text, name);
  }
  return name;
}

export type Database = AsyncDisposable & { readonly db: Kysely<DB> };

/** Opens a pool; an idle connection that the server closes is said and replaced, it ends nothing. */
export function openDatabase(options: {
  url: string;
  poolMax: number;
  onError: (error: Error) => void;
}): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax,
    Client: PreparingClient as unknown as typeof pg.Client,
    connectionTimeoutMillis: 10_000,
    application_name: "starbase",
  } as pg.PoolConfig);
  pool.on("error", options.onError);
  // One that is in use when the server goes away says so itself; its query rejects as well.
  pool.on("connect", (client) => client.on("error", options.onError));
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    // kysely's destroy() leaves alone a pool it never used.
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
