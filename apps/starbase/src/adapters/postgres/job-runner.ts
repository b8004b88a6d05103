import { Fault, wordsOf } from "@starform/std/fault";
import { EventEmitter } from "node:events";
import {
  Logger as WorkerLogger,
  parseCronItems,
  run,
  type JobHelpers,
  type TaskList,
  type WorkerEvents,
} from "graphile-worker";
import type { Logger } from "pino";
import type { JobEnded, JobOutcome } from "../../core/telemetry/worker-metrics.ts";
import { CannotHeal, type CronJob, type JobHandler } from "../../ports/job-queue.ts";
import { freeJobsOfTheDead } from "./jobs-of-the-dead.ts";
import { isAway, openQueuePool } from "./queue-pool.ts";
import { runningJobs, type RunningJobs } from "./running-jobs.ts";
import { openLiveness } from "./worker-liveness.ts";

/** How long a Worker may be silent before its jobs are given to others (see jobs-of-the-dead.ts). */
const silentMsMax = 5_000;

type Options = {
  url: string;
  handlers: readonly JobHandler[];
  crons: readonly CronJob[];
  concurrency: number;
  logger: Logger;
  graceMs?: number;
  /** Told of every run of a job, when it has ended. */
  onEnd?: (ended: JobEnded) => void;
  /** Told of every connection that was lost; they come back by themselves. */
  onLost?: (error: unknown) => void;
};

/** Runs jobs until it is disposed of: then running ones are told by their signal, and unfinished ones stay for the next. */
export async function openJobRunner({
  url,
  handlers,
  crons,
  concurrency,
  logger,
  graceMs = silentMsMax,
  onEnd = () => undefined,
  onLost = () => undefined,
}: Options): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const events = new EventEmitter() as unknown as WorkerEvents;
  const stopping = new AbortController();
  const running = runningJobs();
  const alive = stack.use(await openLiveness(url, { logger, onLost, onReturn: running.tellLost }));
  const pool = openQueuePool({ url, concurrency, stopping: stopping.signal, onLost });
  stack.defer(() => pool.end());
  events.on("pool:create", ({ workerPool }) => alive.hold(workerPool.id));
  const runner = await run({
    pgPool: pool,
    concurrency,
    events,
    noHandleSignals: true,
    pollInterval: 2_000,
    gracefulShutdownAbortTimeout: 100,
    // In batches, though of what ends in one turn only: their failure is told to the runner, where that of a single
    // one is told to nobody and ends the process. Closing waits for them.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: {
      ...Object.fromEntries(
        handlers.map((handler) => [
          handler.spec.name,
          taskOf(handler, { running, stopping: stopping.signal, logger, onEnd }),
        ]),
      ),
      ...cronTasks(crons, { stopping: stopping.signal, logger, onEnd }),
    },
    parsedCronItems: parseCronItems(
      crons.map(({ name, schedule }) => ({ task: name, match: schedule, options: { maxAttempts: 3 } })),
    ),
    logger: errorsOf(logger, onLost),
  });
  const reaping = freeJobsOfTheDead(alive, { graceMs, signal: stopping.signal, logger });
  stack.defer(async () => {
    stopping.abort();
    await runner
      .stop()
      .catch((error: unknown) => logger.warn({ err: error }, "the job runner did not stop cleanly"));
    await reaping;
  });
  return stack.move();
}

/** What the library has to say, less what the connections say themselves. */
const errorsOf = (logger: Logger, onLost: (error: unknown) => void): WorkerLogger =>
  new WorkerLogger(({ label }) => (level, message, meta) => {
    if (level !== "error") return;
    const error = meta?.["error"];
    if (error && isAway(error)) onLost(error);
    else logger.error({ label }, message);
  });

type Running = {
  readonly stopping: AbortSignal;
  readonly logger: Logger;
  readonly onEnd: NonNullable<Options["onEnd"]>;
};

const cronTasks = (crons: readonly CronJob[], { stopping, logger, onEnd }: Running): TaskList =>
  Object.fromEntries(
    crons.map((cron) => [
      cron.name,
      async (_payload: unknown, { job }: JobHelpers) => {
        const tell = clock(cron.name, onEnd);
        await cron.run(stopping).catch((error: unknown) => {
          logger.error({ err: error, job: cron.name }, "a cron job failed");
          tell(job.attempts >= job.max_attempts ? "given_up" : "retried");
          throw error;
        });
        tell("succeeded");
      },
    ]),
  );

/** Measures one run, from now on. */
function clock(job: string, onEnd: Running["onEnd"]): (outcome: JobOutcome) => void {
  const beganMs = performance.now();
  return (outcome) => onEnd({ job, outcome, seconds: (performance.now() - beganMs) / 1_000 });
}

type Ending = { readonly stopping: AbortSignal; readonly lost: AbortSignal; readonly logger: Logger };

const taskOf =
  (handler: JobHandler, { running, stopping, logger, onEnd }: Running & { readonly running: RunningJobs }) =>
  (raw: unknown, helpers: JobHelpers): Promise<void> =>
    running.while(helpers.job, async (lost) => {
      const tell = clock(handler.spec.name, onEnd);
      try {
        const payload = handler.spec.payload.safeParse(raw);
        if (!payload.success)
          throw new CannotHeal(
            `the payload is not what ${handler.spec.name} takes: ${payload.error.message}`,
          );
        await handler.run(payload.data, AbortSignal.any([stopping, lost]));
        if (stopping.aborted) throw new Error("the worker closes: what this job did is looked at again");
        if (lost.aborted) throw new Error("another worker was given this job meanwhile");
        tell("succeeded");
      } catch (error) {
        tell(await endFailed(handler, raw, helpers, error, { stopping, lost, logger }));
        throw error;
      }
    });

/** What a job that failed leaves, before the library writes down that it did. */
async function endFailed(
  handler: JobHandler,
  raw: unknown,
  { job, query }: JobHelpers,
  error: unknown,
  { stopping, lost, logger }: Ending,
): Promise<JobOutcome> {
  const isLast = job.attempts >= job.max_attempts || !canHeal(error);
  logger.error(
    { job: handler.spec.name, jobId: job.id, attempt: job.attempts, err: error, isLast },
    "a job failed",
  );
  // The other worker tells how it ends.
  if (lost.aborted) return "lost";
  if (stopping.aborted) {
    // It was not the job that failed, so the try is given back.
    await query(
      "update graphile_worker._private_jobs set attempts = greatest(attempts - 1, 0) where id = $1",
      [job.id],
    );
    return "returned";
  }
  if (!isLast) return "retried";
  // First what it leaves, then the end: if that cannot be done now, the job comes again and with it this.
  await handler.onGiveUp?.(raw, wordsOf(error));
  await query("update graphile_worker._private_jobs set max_attempts = attempts where id = $1", [job.id]);
  return "given_up";
}

const canHeal = (error: unknown): boolean =>
  !(error instanceof CannotHeal) &&
  !(error instanceof Fault && error.code !== "unavailable" && error.code !== "internal");
