import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresCluster } from "../src/postgres/cluster.ts";
import { clearPostmaster } from "../src/postgres/postmaster.ts";
import { freePort } from "../src/postgres/start-throw-away.ts";
import { openSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";
import { spawnProgram } from "../src/supervisor/spawn-program.ts";

let dataDir: string;
let supervisor: Supervisor;
let cluster: ReturnType<typeof postgresCluster>;
const open = () => {
  const program = {
    name: "postgres",
    after: [],
    ...cluster,
    stopSignal: "SIGINT" as const,
    stopWithinMs: 15_000,
  };
  return openSupervisor([program], {
    runDir: join(dataDir, "run"),
    logDir: join(dataDir, "logs"),
    onEvent: () => undefined,
  });
};

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "starform-postgres-test-"));
  for (const name of ["run", "logs"]) mkdirSync(join(dataDir, name));
  cluster = postgresCluster({ dataDir, port: await freePort(), password: "s3cret" });
  supervisor = open();
  await supervisor.start();
});
afterAll(async () => {
  await supervisor?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function query(sql: string, url = cluster.url): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client
    .query(sql)
    .then(({ rows }) => rows as unknown[])
    .finally(() => client.end());
}

test("the embedded PostgreSQL asks for its password, listens on loopback only, and knows UTF-8", async () => {
  expect(
    await query(
      "select current_setting('listen_addresses') as at, current_setting('server_encoding') as encoding",
    ),
  ).toEqual([{ at: "127.0.0.1", encoding: "UTF8" }]);
  await expect(query("select 1", cluster.url.replace("s3cret", "wrong"))).rejects.toMatchObject({
    code: "28P01",
  });
  expect(await query("select upper('straße é') as u")).toEqual([{ u: "STRASSE É".replace("SS", "ß") }]);
});

test("killed with -9, PostgreSQL comes back by itself and has lost nothing", async () => {
  await query("create table kept (n int); insert into kept values (42)");
  const pid = supervisor.status()[0]?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  const answer = () => query("select n from kept").catch(() => undefined);
  expect(await until("PostgreSQL to answer again", answer, { withinMs: 25_000 })).toEqual([{ n: 42 }]);
});

test("a server that a killed platform left on the data is stopped, and its data served by the next one", async () => {
  await supervisor.stop();
  const left = spawnProgram(
    { command: cluster.command, stopSignal: "SIGINT" },
    join(dataDir, "logs/left.log"),
  );
  await until("the left-over server", () => cluster.isReady());
  supervisor = open();
  await supervisor.start();
  expect(isAlive(left.pid ?? 0)).toBe(false);
  expect(await query("select count(*)::int as n from kept")).toEqual([{ n: 1 }]);
});

test("a pid file that names a process which is not the server is no obstacle", async () => {
  using stack = new DisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "starform-postmaster-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, "postmaster.pid"), `${process.pid}\n${dir}\n`);
  expect(await clearPostmaster(dir)).toBe("stale");
  expect(existsSync(join(dir, "postmaster.pid"))).toBe(false);
});
