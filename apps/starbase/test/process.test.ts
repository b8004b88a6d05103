import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { openTestDatabase } from "@starform/testkit/postgres";
import pg from "pg";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openApiServer } from "../src/wiring/api.ts";
import { runProcess } from "../src/wiring/run-process.ts";
import { openWorker } from "../src/wiring/worker.ts";

const dataDir = mkdtempSync(join(tmpdir(), "starform-process-"));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const settings = {
  STARBASE_PUBLIC_URL: "http://127.0.0.1:4401",
  STARBASE_DASHBOARD_URL: "http://127.0.0.1:4400",
  STARBASE_GATEWAY_URL: "http://127.0.0.1:4402",
  STARBASE_APPS_DOMAIN: "localhost:4402",
  STARBASE_DATA_DIR: dataDir,
  STARBASE_ENCRYPTION_KEY: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
  STARBASE_SESSION_KEY: "a session key of the test, long enough",
  STARBASE_CLICKHOUSE_URL: "http://127.0.0.1:9",
  STARBASE_LOG_LEVEL: "error",
};

/** What is said on stderr, and with which code it ends. */
type Ended = { readonly code: number | null; readonly stderr: string };

/** Starts a program as a person would by hand, who has nothing else running. */
async function spawned(program: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, [join(import.meta.dirname, `../bin/${program}.ts`)], {
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      ...settings,
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, stderr };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function aPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => void (server.listening && (await once(server.close(), "close"))),
  };
}

const programs = [
  ["api", openApiServer, "STARBASE_PORT"],
  ["worker", openWorker, "STARBASE_WORKER_PORT"],
] as const;

describe.each(programs)("the %s, started by hand", (program, open, portSetting) => {
  async function ended(env: Readonly<Record<string, string>>): Promise<Ended> {
    const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const code = await runProcess(program, open, { ...settings, ...env });
    const stderr = said.mock.calls.map(([words]) => `${words}\n`).join("");
    said.mockRestore();
    return { code, stderr };
  }
  const withDatabase = (url: string) => ended({ STARBASE_DATABASE_URL: url });

  test("says in one sentence what is wrong with its settings, and ends with 1", async () => {
    expect(await withDatabase("mysql://127.0.0.1/shop")).toEqual({
      code: 1,
      stderr:
        "the configuration is wrong:\n  STARBASE_DATABASE_URL: write it like postgresql://user:password@host:port/database\n",
    });
  });

  test("says in one sentence that no database answers, and ends with 75: that may heal", async () => {
    const taken = await aPort();
    await taken[Symbol.asyncDispose]();
    expect(await withDatabase(`postgresql://me:hunter2@127.0.0.1:${taken.port}/shop`)).toEqual({
      code: 75,
      stderr: `no PostgreSQL can be reached at 127.0.0.1:${taken.port} (ECONNREFUSED): start it, or correct DATABASE_URL\n`,
    });
  });

  test("says in one sentence why it does not touch a database that it cannot use, and ends with 1", async () => {
    await using database = await openTestDatabase();
    const none = new URL(database.url);
    none.pathname = "/nobody-made-this-one";
    // The process itself: nothing of Node's round the sentence, and nothing that keeps it.
    expect(await spawned(program, { STARBASE_DATABASE_URL: none.href })).toEqual({
      code: 1,
      stderr: `the PostgreSQL at ${none.host} has no database nobody-made-this-one: correct DATABASE_URL\n`,
    });
    await ask(database.url, "insert into schema_migrations (name, digest) values ('9999_of_later.sql', 'd')");
    expect(await withDatabase(database.url)).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^this database was migrated by a newer Starform \(.*nothing was changed\n$/,
      ),
    });
    await ask(database.url, "drop schema public cascade; create schema public");
    expect(await withDatabase(database.url)).toEqual({
      code: 1,
      stderr:
        "this database has not the schema of this build (it lacks 0001_identity.sql): run apps/starbase/bin/migrate.ts with the same settings first\n",
    });
  });

  test("says in one sentence that its port is taken, and ends with 1", async () => {
    await using database = await openTestDatabase();
    await using taken = await aPort();
    const port = String(taken.port);
    expect(await ended({ STARBASE_DATABASE_URL: database.url, [portSetting]: port })).toEqual({
      code: 1,
      stderr: `port ${port} of 127.0.0.1 is used by another program: stop that one, or set ${portSetting} to a free port\n`,
    });
  });
});
