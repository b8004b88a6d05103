import { sql } from "kysely";
import type { JobState, QueueDepth } from "../../core/telemetry/worker-metrics.ts";
import type { Db } from "./database.ts";

/** Jobs by name and state, and builds in line; of the whole installation, for its operator. */
export const postgresQueueDepth = (db: Db) => async (): Promise<QueueDepth> => {
  const jobs = await sql<{ job: string; state: JobState; count: number }>`
    select task_identifier as job, count(*)::int as count,
      case when locked_at is not null then 'running' when attempts >= max_attempts then 'given_up'
        when run_at > now() then 'scheduled' else 'waiting' end as state
    from graphile_worker.jobs group by 1, 3`.execute(db);
  const { count } = await db
    .selectFrom("build_queue")
    .select(sql<number>`count(*)::int`.as("count"))
    .where("ticket", "is", null)
    .executeTakeFirstOrThrow();
  return { jobs: jobs.rows, buildsWaiting: count };
};
