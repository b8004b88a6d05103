import { Logger, run as runWorker, quickAddJob, runMigrations } from "graphile-worker";
import { until } from "@starform/std/retry";
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
const singles = 150;
const rounds = 10;

const quiet = new Logger(() => () => undefined);

type Side = {
  enqueue(at: number): Promise<unknown>;
  open(onStart: (at: number) => void): Promise<AsyncDisposable>;
};

/** Enqueue-to-start and jobs per second over the bare library on the same Postgres, in turns. */
export async function run(): Promise<Figure[]> {
  await using postgres = await startThrowAwayPostgres();
  await runMigrations({ connectionString: postgres.url });
  await using database = openDatabase({ url: postgres.url, poolMax: 10, onError: () => undefined });
  const pool = aPool(postgres.url, 10);
  const spec = job({ name: "bench", payload: z.object({ at: z.number() }), attemptsMax: 1 });
  const sides: { ours: Side; bare: Side } = {
    ours: {
      enqueue: (at) => postgresJobQueue(database.db).enqueue(spec, { at }),
      open: (onStart) =>
        openJobRunner({
          url: postgres.url,
          handlers: [handle(spec, async ({ at }) => onStart(at))],
          crons: [],
          concurrency: 6,
          logger: pino({ level: "silent" }),
        }),
    },
    bare: {
      enqueue: (at) => quickAddJob({ pgPool: pool, logger: quiet }, "bench", { at }, { maxAttempts: 1 }),
      // A process of its own would open its own connections, as ours does.
      open: async (onStart) => {
        const own = aPool(postgres.url, 8);
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
  const seen: Record<"ours" | "bare", { waits: number[]; perSecond: number[] }> = {
    ours: { waits: [], perSecond: [] },
    bare: { waits: [], perSecond: [] },
  };
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const)) {
      seen[name].waits.push(...(await waitsOf(sides[name])));
      seen[name].perSecond.push(await jobsPerSecond(sides[name], pool));
    }
  await pool.end();
  // Round by round: what else the machine does weighs on both of one round alike.
  const ratios = seen.ours.perSecond.map((rate, round) => rate / seen.bare.perSecond[round]!);
  return [
    atLeast("queue jobs/s over the bare library", median(seen.ours.perSecond), "jobs/s", median(ratios), 0.9),
    ...[0.5, 0.99].map((share) => {
      const value = percentile(seen.ours.waits, share);
      return atLeast(
        `queue enqueue-to-start p${share * 100}, bare library over it`,
        value,
        "ms",
        percentile(seen.bare.waits, share) / value,
        0.9,
      );
    }),
  ];
}

function aPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

async function waitsOf(side: Side): Promise<number[]> {
  const waits: number[] = [];
  await using _runner = await side.open((at) => waits.push(performance.now() - at));
  for (let i = 1; i <= singles; i++) {
    await side.enqueue(performance.now());
    await until("the job has started", () => waits.length >= i, { everyMs: 1 });
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
