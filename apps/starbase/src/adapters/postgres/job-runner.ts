import { Fault, wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { EventEmitter } from "node:events";
import {
  Logger as WorkerLogger,
  parseCronItems,
  run,
  type JobHelpers,
  type TaskList,
  type WorkerEvents,
} from "graphile-worker";
import pg from "pg";
import type { Logger } from "pino";
import { CannotHeal, type CronJob, type JobHandler } from "../../ports/job-queue.ts";

/** A Worker that was killed left its jobs locked; they are freed once nobody holds its lock any more. */
const reapEveryMs = 2_000;

type Options = {
  url: string;
  handlers: readonly JobHandler[];
  crons: readonly CronJob[];
  concurrency: number;
  logger: Logger;
};

/** Runs jobs until it is disposed of: then running ones are told by their signal, and unfinished ones stay for the next. */
export async function openJobRunner({
  url,
  handlers,
  crons,
  concurrency,
  logger,
}: Options): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const events = new EventEmitter() as unknown as WorkerEvents;
  const stopping = new AbortController();
  const alive = stack.use(await openLiveness(url, logger));
  const pool = openPool(url, concurrency, logger);
  stack.defer(() => pool.end());
  events.on("pool:create", ({ workerPool }) => alive.hold(workerPool.id));
  const runner = await run({
    pgPool: pool,
    concurrency,
    events,
    noHandleSignals: true,
    pollInterval: 2_000,
    gracefulShutdownAbortTimeout: 100,
    taskList: {
      ...Object.fromEntries(
        handlers.map((handler) => [handler.spec.name, taskOf(handler, stopping.signal, logger)]),
      ),
      ...cronTasks(crons, stopping.signal, logger),
    },
    parsedCronItems: parseCronItems(
      crons.map(({ name, schedule }) => ({ task: name, match: schedule, options: { maxAttempts: 3 } })),
    ),
    logger: new WorkerLogger(
      ({ label }) =>
        (level, message) =>
          level === "error" && logger.error({ label }, message),
    ),
  });
  const reaping = reap(alive, stopping.signal, logger);
  stack.defer(async () => {
    stopping.abort();
    await runner
      .stop()
      .catch((error: unknown) => logger.warn({ err: error }, "the job runner did not stop cleanly"));
    await reaping;
  });
  return stack.move();
}

/**
 * The queue's own connections: one for each job that runs, one that listens, one to spare. The library names its
 * statements itself; over the stores' pool, which names each by its digest, it did 1,600 to 1,900 jobs/s where a plain
 * one did 2,811 (bench/queue.ts, two busy cores). A lost connection is said here and made anew by whoever needs it.
 */
function openPool(url: string, concurrency: number, logger: Logger): pg.Pool {
  const onError = (error: Error) => logger.warn({ err: error }, "a connection of the job queue was lost");
  const pool = new pg.Pool({
    connectionString: url,
    max: concurrency + 2,
    connectionTimeoutMillis: 10_000,
    application_name: "starbase-jobs",
  });
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  return pool;
}

const cronTasks = (crons: readonly CronJob[], stopping: AbortSignal, logger: Logger): TaskList =>
  Object.fromEntries(
    crons.map((cron) => [
      cron.name,
      async () => {
        await cron.run(stopping).catch((error: unknown) => {
          logger.error({ err: error, job: cron.name }, "a cron job failed");
          throw error;
        });
      },
    ]),
  );

const taskOf =
  (handler: JobHandler, stopping: AbortSignal, logger: Logger) =>
  async (raw: unknown, helpers: JobHelpers): Promise<void> => {
    const { job } = helpers;
    try {
      const payload = handler.spec.payload.safeParse(raw);
      if (!payload.success)
        throw new CannotHeal(`the payload is not what ${handler.spec.name} takes: ${payload.error.message}`);
      await handler.run(payload.data, stopping);
      if (stopping.aborted) throw new Error("the worker closes: what this job did is looked at again");
    } catch (error) {
      const isLast = job.attempts >= job.max_attempts || !canHeal(error);
      logger.error(
        { job: handler.spec.name, jobId: job.id, attempt: job.attempts, err: error, isLast },
        "a job failed",
      );
      if (stopping.aborted) {
        // It was not the job that failed, so the try is given back.
        await helpers.query(
          "update graphile_worker._private_jobs set attempts = greatest(attempts - 1, 0) where id = $1",
          [job.id],
        );
        throw error;
      }
      if (isLast) {
        // First what it leaves, then the end: if that cannot be done now, the job comes again and with it this.
        await handler.onGiveUp?.(raw, wordsOf(error));
        await helpers.query(
          "update graphile_worker._private_jobs set max_attempts = attempts where id = $1",
          [job.id],
        );
      }
      throw error;
    }
  };

const canHeal = (error: unknown): boolean =>
  !(error instanceof CannotHeal) &&
  !(error instanceof Fault && error.code !== "unavailable" && error.code !== "internal");

const lockKey = (poolId: string): string => `starform.worker.${poolId}`;
type Liveness = AsyncDisposable & {
  hold(poolId: string): void;
  readonly own: ReadonlySet<string>;
  client(): pg.Client;
};

/** A connection that holds an advisory lock in the name of each pool of this process: it ends with the process. */
async function openLiveness(url: string, logger: Logger): Promise<Liveness> {
  const own = new Set<string>();
  let isClosed = false;
  const open = async () => {
    const next = new pg.Client({ connectionString: url, application_name: "starbase-worker-liveness" });
    next.on("error", (error) => logger.warn({ err: error }, "the liveness connection was lost"));
    try {
      await next.connect();
      for (const id of own) await next.query("select pg_advisory_lock(hashtext($1))", [lockKey(id)]);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    // Only what was open comes back by its end: pg tells the end of a failed attempt as well, and the loop has that.
    next.on("end", () => !isClosed && void reopen());
    return next;
  };
  const reopen = async () => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- the disposal sets it while this waits
    while (!isClosed) {
      await pause(500);
      const next = await open().catch(() => undefined);
      if (next) return void (client = next);
    }
  };
  let client = await open();
  return {
    own,
    client: () => client,
    hold(poolId) {
      own.add(poolId);
      client
        .query("select pg_advisory_lock(hashtext($1))", [lockKey(poolId)])
        .catch((error: unknown) => logger.warn({ err: error }, "could not take the liveness lock"));
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await client.end().catch(() => undefined);
    },
  };
}

async function reap(alive: Liveness, stopping: AbortSignal, logger: Logger): Promise<void> {
  while (!stopping.aborted) {
    await freeDead(alive, logger).catch((error: unknown) =>
      logger.warn({ err: error }, "could not look for jobs of dead workers"),
    );
    await pause(reapEveryMs, stopping);
  }
}

async function freeDead(alive: Liveness, logger: Logger): Promise<void> {
  const client = alive.client();
  const { rows } = await client.query<{ locked_by: string }>(
    "select distinct locked_by from graphile_worker._private_jobs where locked_by is not null and locked_at < now() - interval '2 seconds'",
  );
  for (const { locked_by: id } of rows) {
    if (alive.own.has(id)) continue;
    const { rows: taken } = await client.query<{ ok: boolean }>(
      "select pg_try_advisory_lock(hashtext($1)) as ok",
      [lockKey(id)],
    );
    if (!taken[0]?.ok) continue;
    await client.query("select graphile_worker.force_unlock_workers(array[$1]::text[])", [id]);
    await client.query("select pg_advisory_unlock(hashtext($1))", [lockKey(id)]);
    logger.warn({ worker: id }, "freed the jobs of a worker that is gone");
  }
}
