import { openTestDatabase } from "@starform/testkit/postgres";
import { until } from "@starform/std/retry";
import { Fault } from "@starform/std/fault";
import { pino } from "pino";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresJobQueue } from "../src/adapters/postgres/job-queue.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { CannotHeal, handle, job, type CronJob, type JobHandler } from "../src/ports/job-queue.ts";

const greet = job({
  name: "greet",
  payload: z.object({ who: z.string() }),
  attemptsMax: 3,
  queue: ({ who }) => (who.startsWith("serial") ? "serial" : who),
});

let stack: AsyncDisposableStack;
let url: string;
let database: Database;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  url = stack.use(await openTestDatabase()).url;
  await migrate(url);
  database = stack.use(openDatabase({ url, poolMax: 6, onError: () => undefined }));
});
afterEach(() => stack.disposeAsync());

const logger = pino({ level: "silent" });
const open = (of: { handlers?: JobHandler[]; crons?: CronJob[]; concurrency?: number }) =>
  openJobRunner({ url, handlers: [], crons: [], concurrency: 4, logger, graceMs: 0, ...of });
const runner = (...handlers: JobHandler[]) => open({ handlers });
const queue = () => postgresJobQueue(database.db);
const waiting = async () =>
  Number(
    (
      await sql<{ n: number }>`select count(*)::int as n from graphile_worker._private_jobs`.execute(
        database.db,
      )
    ).rows[0]?.n,
  );
const knownCrons = async () =>
  (await sql`select from graphile_worker._private_known_crontabs`.execute(database.db)).rows.length;

describe("the job queue", () => {
  test("runs what was enqueued in a transaction that commits, and nothing of one that rolls back", async () => {
    const seen: string[] = [];
    await database.db.transaction().execute((tx) => postgresJobQueue(tx).enqueue(greet, { who: "kept" }));
    await database.db
      .transaction()
      .execute(async (tx) => {
        await postgresJobQueue(tx).enqueue(greet, { who: "lost" });
        throw new Error("rolled back");
      })
      .catch(() => undefined);
    stack.use(await runner(handle(greet, async ({ who }) => void seen.push(who))));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(seen).toEqual(["kept"]);
  });

  test("replaces a job of the same key that has not begun, and takes one back", async () => {
    const seen: string[] = [];
    const later = { key: "k", runAt: new Date(Date.now() + 60_000) };
    await queue().enqueue(greet, { who: "first" }, later);
    await queue().enqueue(greet, { who: "second" }, { key: "k" });
    await queue().enqueue(greet, { who: "cancelled" }, { key: "gone", runAt: new Date(Date.now() + 60_000) });
    await queue().cancel("gone");
    stack.use(await runner(handle(greet, async ({ who }) => void seen.push(who))));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(seen).toEqual(["second"]);
  });

  test("runs jobs of one queue one after the other, in their order", async () => {
    const seen: string[] = [];
    let [running, most] = [0, 0];
    for (let i = 0; i < 5; i++) await queue().enqueue(greet, { who: `serial${i}` });
    const work = async ({ who }: { who: string }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(who);
      running -= 1;
    };
    stack.use(await runner(handle(greet, work)));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect([seen, most]).toEqual([["serial0", "serial1", "serial2", "serial3", "serial4"], 1]);
  });

  test("runs first what is of the lower number, however late it came", async () => {
    const seen: string[] = [];
    const numbered = [5, 0, -5].map((priority) =>
      job({ name: `of ${priority}`, payload: z.object({}), attemptsMax: 1, priority }),
    );
    for (const spec of numbered) await queue().enqueue(spec, {});
    const handlers = numbered.map((spec) => handle(spec, async () => void seen.push(spec.name)));
    stack.use(await open({ handlers, concurrency: 1 }));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(seen).toEqual(["of -5", "of 0", "of 5"]);
  });

  test("runs a cron at its minute of its hour, UTC, and at no other", async () => {
    const seen: string[] = [];
    const crons = ["17 4 * * *", "18 4 * * *", "17 5 * * *"].map((schedule) => ({
      name: `at ${schedule}`,
      schedule,
      run: async () => void seen.push(schedule),
    }));
    // Of a day that is over for the database, so that what comes due has come due there too.
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-05T04:16:59.700Z") });
    stack.defer(() => void vi.useRealTimers());
    stack.use(await open({ crons }));
    await until("its crons are known", async () => (await knownCrons()) === crons.length);
    expect(seen).toEqual([]);
    vi.setSystemTime(new Date("2026-01-05T04:17:00.100Z"));
    await until("one of them ran", async () => seen.length > 0 && (await waiting()) === 0);
    expect(seen).toEqual(["17 4 * * *"]);
  });

  test("ends a job whose tries are used up, with the reason of the last", async () => {
    const given: string[] = [];
    const once = job({ name: "once", payload: z.object({ who: z.string() }), attemptsMax: 1 });
    const work = async () => {
      throw new Error("the network is away");
    };
    await queue().enqueue(once, { who: "x" }, { key: "once" });
    stack.use(
      await runner(handle(once, work, async ({ who }, reason) => void given.push(`${who}: ${reason}`))),
    );
    await until("it has ended", async () => given.length > 0 && !(await queue().isOpen("once")));
    expect(given).toEqual(["x: the network is away"]);
  });

  test.each([
    ["says it cannot heal", () => new CannotHeal("the source is gone")],
    ["is the caller's fault", () => new Fault("invalid", "the source is gone")],
  ])("ends a job that %s at once, with its reason", async (_, error) => {
    const given: string[] = [];
    let runs = 0;
    const work = async () => {
      runs += 1;
      throw error();
    };
    await queue().enqueue(greet, { who: "x" });
    stack.use(
      await runner(handle(greet, work, async ({ who }, reason) => void given.push(`${who}: ${reason}`))),
    );
    await until("it was given up", () => given.length > 0);
    expect([runs, given]).toEqual([1, ["x: the source is gone"]]);
  });

  test("tries again what may heal", async () => {
    let runs = 0;
    await queue().enqueue(greet, { who: "x" });
    stack.use(
      await runner(
        handle(greet, async () => {
          runs += 1;
          if (runs === 1) throw new Error("the network is away");
        }),
      ),
    );
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(runs).toBe(2);
  });

  test("frees the job of a worker that is gone without a word", async () => {
    const seen: string[] = [];
    await queue().enqueue(greet, { who: "orphan" });
    await sql`update graphile_worker._private_jobs set locked_by = 'pool-of-the-dead', locked_at = now() - interval '1 minute'`.execute(
      database.db,
    );
    await sql`update graphile_worker._private_job_queues set locked_by = 'pool-of-the-dead', locked_at = now() - interval '1 minute'`.execute(
      database.db,
    );
    stack.use(await runner(handle(greet, async ({ who }) => void seen.push(who))));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(seen).toEqual(["orphan"]);
  });

  test("tells a running job by its signal when the worker closes, and leaves it for the next", async () => {
    const seen: string[] = [];
    await queue().enqueue(greet, { who: "long" });
    const first = await runner(
      handle(greet, (_payload, signal) => {
        seen.push("begun");
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("closing"))),
        );
      }),
    );
    await until("it runs", () => seen.length > 0);
    await first[Symbol.asyncDispose]();
    await sql`update graphile_worker._private_jobs set run_at = now()`.execute(database.db);
    stack.use(await runner(handle(greet, async () => void seen.push("again"))));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect(seen).toEqual(["begun", "again"]);
  });

  test("leaves a job that ends quietly while the worker closes for the next, with all its tries", async () => {
    const seen: string[] = [];
    await queue().enqueue(greet, { who: "quiet" }, { key: "quiet" });
    const first = await runner(
      handle(greet, (_payload, signal) => {
        seen.push("begun");
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
      }),
    );
    await until("it runs", () => seen.length > 0);
    await first[Symbol.asyncDispose]();
    expect(await queue().isOpen("quiet")).toBe(true);
    const { rows } = await sql<{
      attempts: number;
    }>`select attempts from graphile_worker._private_jobs`.execute(database.db);
    expect(rows).toEqual([{ attempts: 0 }]);
    await sql`update graphile_worker._private_jobs set run_at = now()`.execute(database.db);
    stack.use(await runner(handle(greet, async () => void seen.push("again"))));
    await until("the queue is empty", async () => (await waiting()) === 0);
    expect([seen, await queue().isOpen("quiet")]).toEqual([["begun", "again"], false]);
  });
});
