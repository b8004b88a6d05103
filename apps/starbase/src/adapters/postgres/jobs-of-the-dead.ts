import { pause } from "@starform/std/retry";
import type pg from "pg";
import type { Logger } from "pino";
import { isAway } from "./queue-pool.ts";
import { lockKey, type Liveness } from "./worker-liveness.ts";

const lookEveryMs = 2_000;

/** Who has been silent all the while for `graceMs`. An interrupted watch begins anew: nobody was seen meanwhile. */
export function silenceWatch(graceMs: number) {
  let [since, generation] = [new Map<string, number>(), -1];
  return {
    /** Takes who is silent now, by the clock and on the connection of that generation; answers who is dead. */
    look(silent: readonly string[], now: { ms: number; generation: number }): string[] {
      const known = now.generation === generation ? since : new Map<string, number>();
      generation = now.generation;
      since = new Map(silent.map((id) => [id, known.get(id) ?? now.ms]));
      return silent.filter((id) => now.ms - since.get(id)! >= graceMs);
    },
  };
}

/**
 * Looks every two seconds who holds jobs, until the signal fires. A worker whose lock can be taken is silent; one that
 * stays so for `graceMs`, seen over one unbroken connection, is dead and its jobs are freed. A worker that lives takes
 * its lock again half a second after the server is back, so a restart of the server kills nobody.
 */
export async function freeJobsOfTheDead(
  alive: Liveness,
  { graceMs, signal, logger }: { graceMs: number; signal: AbortSignal; logger: Logger },
): Promise<void> {
  const watch = silenceWatch(graceMs);
  while (!signal.aborted) {
    await lookOnce(alive, watch, logger).catch((error: unknown) => {
      // That the server is away says the connection, which comes back by itself.
      if (!isAway(error)) logger.warn({ err: error }, "could not look for jobs of dead workers");
    });
    await pause(lookEveryMs, signal);
  }
}

async function lookOnce(
  alive: Liveness,
  watch: ReturnType<typeof silenceWatch>,
  logger: Logger,
): Promise<void> {
  const [client, generation] = [alive.client(), alive.generation()];
  const { rows } = await client.query<{ locked_by: string }>(
    "select distinct locked_by from graphile_worker._private_jobs where locked_by is not null",
  );
  const silent: string[] = [];
  for (const { locked_by: id } of rows)
    if (!alive.own.has(id) && (await ifSilent(client, id, async () => undefined))) silent.push(id);
  if (silent.length > 0) logger.debug({ workers: silent }, "workers with jobs are silent");
  for (const id of watch.look(silent, { ms: performance.now(), generation }))
    if (await ifSilent(client, id, () => free(client, id)))
      logger.warn({ worker: id }, "freed the jobs of a worker that is gone");
}

/** Does the work while holding the lock of a worker that holds it no more; answers whether it could be had. */
async function ifSilent(client: pg.Client, id: string, work: () => Promise<void>): Promise<boolean> {
  const { rows } = await client.query<{ ok: boolean }>("select pg_try_advisory_lock(hashtext($1)) as ok", [
    lockKey(id),
  ]);
  if (!rows[0]?.ok) return false;
  try {
    await work();
  } finally {
    await client.query("select pg_advisory_unlock(hashtext($1))", [lockKey(id)]);
  }
  return true;
}

const free = async (client: pg.Client, id: string): Promise<void> => {
  await client.query("select graphile_worker.force_unlock_workers(array[$1]::text[])", [id]);
};
