import { openTestDatabase } from "@starform/testkit/postgres";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { announcer, listenForChanges } from "../src/adapters/postgres/changes.ts";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { postgresJobQueue } from "../src/adapters/postgres/job-queue.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { outageLog } from "../src/adapters/postgres/outage.ts";
import { handle, job } from "../src/ports/job-queue.ts";
import { aWayTo } from "./a-way-to.ts";

const [listener, liveness, jobs] = ["starbase-changes", "starbase-worker-liveness", "starbase-jobs"] as const;
// The waits below, one after the other, may take longer than one test has by default.
vi.setConfig({ testTimeout: 240_000 });
const greet = job({ name: "greet", payload: z.object({}), attemptsMax: 1 });

test("comes back over one connection each, however long the database was away, runs jobs again, and says it in two lines", async () => {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await openTestDatabase());
  await migrate(url);
  const { db } = stack.use(openDatabase({ url, poolMax: 4, onError: () => undefined }));
  const way = stack.use(await aWayTo(url));
  const said: { msg: string }[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void said.push(JSON.parse(line)) });
  // Its time stands still: however long this takes, no half a minute goes by.
  const outage = outageLog(logger, { now: () => new Date(0) });
  const changes = stack.use(await listenForChanges(way.url, outage));
  let done = 0;
  stack.use(
    await openJobRunner({
      url: way.url,
      handlers: [handle(greet, async () => void done++)],
      crons: [],
      concurrency: 1,
      logger,
      onLost: outage.lost,
    }),
  );
  const open = async (who: string) =>
    (
      await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = ${who}`.execute(db)
    ).rows[0]!.n;
  const enqueued = () => postgresJobQueue(db).enqueue(greet, {});
  await enqueued();
  await until("a job has run", () => done === 1);
  way.cut();
  // Loops that breed would be many by now: each failed attempt would have begun another.
  for (const who of [listener, liveness])
    await until(`${who} has tried in vain for a while`, () => way.refused(who) >= 4, { withinMs: 30_000 });
  await until("the queue has tried in vain", () => way.refused(jobs) >= 1, { withinMs: 30_000 });
  way.mend();
  let heard = 0;
  changes.on("identity", () => heard++);
  await until("changes are heard of again", async () => {
    await announcer(db).announce({ kind: "identity" });
    return heard > 1;
  });
  await enqueued();
  await until("jobs run again", () => done === 2, { withinMs: 30_000 });
  for (const who of [listener, liveness])
    await until(`${who} is connected again`, async () => (await open(who)) >= 1);
  expect([await open(listener), await open(liveness)]).toEqual([1, 1]);
  expect(await open(jobs)).toBeLessThanOrEqual(3);
  expect(said.map(({ msg }) => msg)).toEqual(["the database connection was lost", "the database is back"]);
});

test("tells of an outage at once, every half minute with how many failed meanwhile, and when it is over", () => {
  const said: string[] = [];
  const logger = pino({}, { write: (line: string) => void said.push(line) });
  let seconds = 0;
  const { lost, back } = outageLog(logger, { now: () => new Date(seconds * 1_000) });
  const told = (): unknown[] =>
    said.splice(0).map((line) => {
      const { level, msg, failures, err } = JSON.parse(line);
      return [pino.levels.labels[level], msg, failures, err?.message];
    });
  const failing = (until: number) => {
    for (; seconds < until; seconds += 2) lost(new Error(`at ${seconds}`));
  };
  failing(30);
  expect(told()).toEqual([["warn", "the database connection was lost", 1, "at 0"]]);
  failing(90);
  expect(told()).toEqual([
    ["warn", "the database is still away", 15, "at 30"],
    ["warn", "the database is still away", 15, "at 60"],
  ]);
  back();
  expect(told()).toEqual([["info", "the database is back", 14, undefined]]);
  failing(92);
  expect(told()).toEqual([["warn", "the database connection was lost", 1, "at 90"]]);
  // One that came back unnoticed: the next is another.
  seconds = 200;
  failing(202);
  expect(told()).toEqual([["warn", "the database connection was lost", 1, "at 200"]]);
});

/** A worker that waits within a job until it may end, over a way that can be cut. */
async function aWaitingWorker(stack: AsyncDisposableStack) {
  const { url } = stack.use(await openTestDatabase());
  await migrate(url);
  const { db } = stack.use(openDatabase({ url, poolMax: 2, onError: () => undefined }));
  const way = stack.use(await aWayTo(url));
  const { promise: isBegun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  let runs = 0;
  const runner = await openJobRunner({
    url: way.url,
    handlers: [
      handle(greet, async (_payload, signal) => {
        runs += 1;
        begin();
        signal.addEventListener("abort", () => end());
        await mayEnd;
      }),
    ],
    crons: [],
    concurrency: 1,
    logger: pino({ level: "silent" }),
  });
  await postgresJobQueue(db).enqueue(greet, {});
  await isBegun;
  const left = async () =>
    (await sql<{ n: number }>`select count(*)::int as n from graphile_worker._private_jobs`.execute(db))
      .rows[0]!.n;
  return { way, runner, end, runs: () => runs, left };
}

test("writes down how a job ended once the database is back, and does not give itself up before", async () => {
  await using stack = new AsyncDisposableStack();
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  stack.defer(() => void process.off("unhandledRejection", note));
  const { way, runner, end, runs, left } = await aWaitingWorker(stack);
  stack.use(runner);
  way.cut();
  end();
  await until("its end could not be written", () => way.refused(jobs) >= 2, { withinMs: 30_000 });
  way.mend();
  await until("its end is written", async () => (await left()) === 0, { withinMs: 30_000 });
  expect([runs(), unhandled]).toEqual([1, []]);
});

test("closes while the database is away", async () => {
  await using stack = new AsyncDisposableStack();
  const { way, runner, left } = await aWaitingWorker(stack);
  way.cut();
  await runner[Symbol.asyncDispose]();
  expect(await left()).toBe(1);
});
