import { Logger, run as runWorker, makeWorkerUtils, runMigrations } from "graphile-worker";
import { pause, until } from "@starform/std/retry";
import pg from "pg";
import { pino } from "pino";
import { z } from "zod";
import { startThrowAwayPostgres } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { openDatabase } from "../apps/starbase/src/adapters/postgres/database.ts";
import { postgresJobQueue } from "../apps/starbase/src/adapters/postgres/job-queue.ts";
import { openJobRunner } from "../apps/starbase/src/adapters/postgres/job-runner.ts";
import { handle, job } from "../apps/starbase/src/ports/job-queue.ts";
import { atLeast, median, percentile, type Figure } from "./figure.ts";

const backlog = 2_000;
const singles = 1_500;
const rounds = 10;

const quiet = new Logger(() => () => undefined);

type Name = "ours" | "bare";

type Side = {
  enqueue(at: number): Promise<unknown>;
  open(onStart: (at: number) => void): Promise<AsyncDisposable>;
};

/** Enqueue-to-start and jobs per second over the bare library, each in a database of its own on one Postgres. */
export async function run(): Promise<Figure[]> {
  await using postgres = await startThrowAwayPostgres();
  const urls = { ours: await aDatabase(postgres.url, "ours"), bare: await aDatabase(postgres.url, "bare") };
  await using database = openDatabase({ url: urls.ours, poolMax: 10, onError: () => undefined });
  const pools = { ours: aPool(urls.ours, 10), bare: aPool(urls.bare, 10) };
  const utils = await makeWorkerUtils({ pgPool: pools.bare, logger: quiet });
  const spec = job({ name: "bench", payload: z.object({ at: z.number() }), attemptsMax: 1 });
  const sides: Record<Name, Side> = {
    ours: {
      enqueue: (at) => postgresJobQueue(database.db).enqueue(spec, { at }),
      open: (onStart) =>
        openJobRunner({
          url: urls.ours,
          handlers: [handle(spec, async ({ at }) => onStart(at))],
          crons: [],
          concurrency: 6,
          logger: pino({ level: "silent" }),
        }),
    },
    bare: {
      enqueue: (at) => utils.addJob("bench", { at }, { maxAttempts: 1 }),
      // A process of its own would open its own connections, as ours does.
      open: async (onStart) => {
        const own = aPool(urls.bare, 8);
        const runner = await runWorker({
          pgPool: own,
          concurrency: 6,
          noHandleSignals: true,
          logger: quiet,
          taskList: { bench: async (payload) => onStart((payload as { at: number }).at) },
        });
        return { [Symbol.asyncDispose]: () => runner.stop().then(() => own.end()) };
      },
    },
  };
  const waits = await waitsOf(sides);
  const perSecond: Record<Name, number[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round++)
    for (const name of inTurn(round)) perSecond[name].push(await jobsPerSecond(sides[name], pools[name]));
  await utils.release();
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
  // Round by round: what else the machine does weighs on both of one round alike.
  const ratios = perSecond.ours.map((rate, round) => rate / perSecond.bare[round]!);
  return [
    atLeast("queue jobs/s over the bare library", median(perSecond.ours), "jobs/s", median(ratios), 0.9),
    ...[0.5, 0.99].map((share) => {
      const value = percentile(waits.ours, share);
      return atLeast(
        `queue enqueue-to-start p${share * 100}, bare library over it`,
        value,
        "ms",
        percentile(waits.bare, share) / value,
        0.9,
      );
    }),
  ];
}

const inTurn = (round: number): readonly Name[] => (round % 2 === 0 ? ["ours", "bare"] : ["bare", "ours"]);

async function aDatabase(url: string, name: string): Promise<string> {
  const admin = aPool(url, 1);
  await admin.query(`create database ${name}`);
  await admin.end();
  const its = new URL(url);
  its.pathname = `/${name}`;
  await runMigrations({ connectionString: its.href });
  return its.href;
}

function aPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/**
 * Milliseconds from the call that enqueues to the start of the job, one job of each side after the other. Each comes a
 * moment after the one before has ended: on its heels, the side whose enqueue returns late would meet a runner awake.
 */
async function waitsOf(sides: Record<Name, Side>): Promise<Record<Name, number[]>> {
  const waits: Record<Name, number[]> = { ours: [], bare: [] };
  let started = Promise.withResolvers<number>();
  const onStart = (at: number) => started.resolve(performance.now() - at);
  await using _ours = await sides.ours.open(onStart);
  await using _bare = await sides.bare.open(onStart);
  for (let i = 0; i < singles; i++)
    for (const name of inTurn(i)) {
      started = Promise.withResolvers();
      const [wait] = await Promise.all([started.promise, sides[name].enqueue(performance.now())]);
      waits[name].push(wait);
      await pause(3);
    }
  return waits;
}

async function jobsPerSecond(side: Side, pool: pg.Pool): Promise<number> {
  await pool.query(
    "select graphile_worker.add_jobs(array(select row('bench', '{\"at\":0}'::json, null, null, 1, null, null, null)::graphile_worker.job_spec from generate_series(1, $1)))",
    [backlog],
  );
  let done = 0;
  const startedAt = performance.now();
  await using _runner = await side.open(() => done++);
  await until("the backlog is worked off", () => done >= backlog, { withinMs: 120_000, everyMs: 5 });
  return (backlog * 1_000) / (performance.now() - startedAt);
}
