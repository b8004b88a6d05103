import type { Job } from "graphile-worker";
import type pg from "pg";

type Held = Pick<Job, "id" | "locked_at">;

/** The jobs this process runs, each with a signal that fires when another worker was given it meanwhile. */
export function runningJobs() {
  const running = new Map<AbortController, Held>();
  return {
    /** Runs `work` with the signal of its job. */
    async while<T>(job: Held, work: (lost: AbortSignal) => Promise<T>): Promise<T> {
      const lost = new AbortController();
      running.set(lost, job);
      try {
        return await work(lost.signal);
      } finally {
        running.delete(lost);
      }
    },
    /** Fires the signals of those that none of our pools holds any more, as it took them. */
    async tellLost(client: pg.Client, own: ReadonlySet<string>): Promise<void> {
      const mine = [...running];
      if (mine.length === 0) return;
      const { rows } = await client.query<{ at: number }>(
        `select mine.at::int as at from unnest($1::bigint[], $2::timestamptz[]) with ordinality as mine(id, locked_at, at)
         where not exists (select from graphile_worker._private_jobs as job
           where job.id = mine.id and job.locked_by = any($3)
             and date_trunc('milliseconds', job.locked_at) = mine.locked_at)`,
        [mine.map(([, { id }]) => id), mine.map(([, job]) => job.locked_at), [...own]],
      );
      for (const { at } of rows) mine[at - 1]?.[0].abort();
    },
  };
}
export type RunningJobs = ReturnType<typeof runningJobs>;
