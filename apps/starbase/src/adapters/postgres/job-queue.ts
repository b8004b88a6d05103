import { sql } from "kysely";
import type { JobQueue } from "../../ports/job-queue.ts";
import type { Db } from "./database.ts";

/** Enqueues by the queue's own SQL function, so that the job lives and dies with the transaction of `db`. */
export const postgresJobQueue = (db: Db): JobQueue => ({
  async enqueue(job, payload, { key, runAt } = {}) {
    const parsed = job.payload.parse(payload);
    await sql`select graphile_worker.add_job(
      identifier => ${job.name},
      payload => ${JSON.stringify(parsed)}::json,
      queue_name => ${job.queue?.(parsed) ?? null},
      run_at => ${runAt ?? null}::timestamptz,
      max_attempts => ${job.attemptsMax},
      job_key => ${key ?? null},
      priority => ${job.priority})`.execute(db);
  },
  async isOpen(key) {
    const { rows } = await sql`
      select from graphile_worker._private_jobs
      where key = ${key} and (attempts < max_attempts or locked_at is not null)`.execute(db);
    return rows.length > 0;
  },
  async cancel(key) {
    await sql`select graphile_worker.remove_job(${key})`.execute(db);
  },
});
