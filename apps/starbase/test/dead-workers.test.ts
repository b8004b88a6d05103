import { openTestDatabase } from "@starform/testkit/postgres";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresJobQueue } from "../src/adapters/postgres/job-queue.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { silenceWatch } from "../src/adapters/postgres/jobs-of-the-dead.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { lockKey } from "../src/adapters/postgres/worker-liveness.ts";
import { handle, job } from "../src/ports/job-queue.ts";
import { aWayTo } from "./a-way-to.ts";

const dig = job({ name: "dig", payload: z.object({}), attemptsMax: 3 });

let stack: AsyncDisposableStack;
let url: string;
let database: Database;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  url = stack.use(await openTestDatabase()).url;
  await migrate(url);
  database = stack.use(openDatabase({ url, poolMax: 4, onError: () => undefined }));
});
afterEach(() => stack.disposeAsync());

/** A worker that digs until it is told to stop, or that it is done. */
async function aWorker(name: string, { at = url, graceMs }: { at?: string; graceMs: number }) {
  const lines: string[] = [];
  const seen: string[] = [];
  let finish = () => undefined as void;
  const worker = {
    seen,
    log: () => lines.join(""),
    finish: () => finish(),
  };
  stack.use(
    await openJobRunner({
      url: at,
      handlers: [
        handle(dig, (_payload, signal) => {
          seen.push(`${name} begins`);
          return new Promise<void>((resolve) => {
            finish = () => (seen.push(`${name} is done`), resolve());
            signal.addEventListener("abort", () => (seen.push(`${name} stops`), resolve()));
          });
        }),
      ],
      crons: [],
      concurrency: 1,
      logger: pino({ level: "debug" }, { write: (line: string) => void lines.push(line) }),
      graceMs,
    }),
  );
  return worker;
}

const holder = async () =>
  (
    await sql<{ locked_by: string | null }>`select locked_by from graphile_worker._private_jobs`.execute(
      database.db,
    )
  ).rows[0]?.locked_by;
const isHeld = async (poolId: string) =>
  (
    await sql`select from pg_locks where locktype = 'advisory' and granted
      and objid = (hashtext(${lockKey(poolId)})::bigint & 4294967295)::oid`.execute(database.db)
  ).rows.length > 0;

describe("a worker that lost the server", () => {
  test("and comes back in time keeps its job, though another was there before it", async () => {
    const way = stack.use(await aWayTo(url));
    const first = await aWorker("first", { at: way.url, graceMs: 600_000 });
    await postgresJobQueue(database.db).enqueue(dig, {});
    await until("it digs", () => first.seen.length === 1);
    const pool = (await holder())!;
    await until("its lock is known", () => isHeld(pool));
    way.cut();
    await until("the server has noticed", async () => !(await isHeld(pool)));
    const second = await aWorker("second", { graceMs: 600_000 });
    await until("the second sees that it is silent", () => second.log().includes("are silent"));
    way.mend();
    await until("the first is back", () => isHeld(pool));
    expect(await holder()).toBe(pool);
    first.finish();
    await until("the job is done", async () => (await holder()) === undefined, { withinMs: 30_000 });
    expect([first.seen, second.seen]).toEqual([["first begins", "first is done"], []]);
  });

  test("and was taken for dead stops what another was given", async () => {
    const way = stack.use(await aWayTo(url));
    const first = await aWorker("first", { at: way.url, graceMs: 600_000 });
    await postgresJobQueue(database.db).enqueue(dig, {});
    await until("it digs", () => first.seen.length === 1);
    way.cut();
    const second = await aWorker("second", { graceMs: 0 });
    await until("the second digs", () => second.seen.length === 1, { withinMs: 30_000 });
    const pool = (await holder())!;
    way.mend();
    await until("the first stops", () => first.seen.includes("first stops"), { withinMs: 30_000 });
    expect(await holder()).toBe(pool);
    second.finish();
    await until("the job is done", async () => (await holder()) === undefined, { withinMs: 30_000 });
    expect(second.seen).toEqual(["second begins", "second is done"]);
  });
});

test("a worker is dead when it was silent all the while, seen over one connection", () => {
  const watch = silenceWatch(5_000);
  const look = (silent: string[], ms: number, generation = 0) => watch.look(silent, { ms, generation });
  expect(look(["a", "b"], 0)).toEqual([]);
  expect(look(["a", "b"], 4_999)).toEqual([]);
  expect(look(["a"], 5_000)).toEqual(["a"]);
  // It spoke meanwhile, so its silence begins anew.
  expect(look(["b"], 6_000)).toEqual([]);
  expect(look(["b"], 11_000)).toEqual(["b"]);
  // The server was away: nobody could speak, however long it was.
  expect(look(["b"], 60_000, 1)).toEqual([]);
  expect(look(["b"], 64_999, 1)).toEqual([]);
  expect(look(["b"], 65_000, 1)).toEqual(["b"]);
});
