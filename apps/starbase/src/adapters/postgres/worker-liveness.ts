import { pause } from "@starform/std/retry";
import pg from "pg";
import type { Logger } from "pino";

const retryMs = 500;

export type Liveness = AsyncDisposable & {
  /** Says that this process lives, in the name of a pool of the job queue, until it is disposed of or dies. */
  hold(poolId: string): void;
  readonly own: ReadonlySet<string>;
  client(): pg.Client;
  /** Grows each time the connection was lost and made anew: whatever was seen before may be of another server. */
  generation(): number;
};

export const lockKey = (poolId: string): string => `starform.worker.${poolId}`;

/**
 * A connection that holds an advisory lock in the name of each pool of this process: it ends with the process. When it
 * is lost otherwise, with the server or on the way, it is made anew every half second until it stands; `onReturn` is
 * called then, since others may have taken this process for dead.
 */
export async function openLiveness(
  url: string,
  {
    logger,
    onLost,
    onReturn,
  }: {
    logger: Logger;
    onLost: (error: unknown) => void;
    onReturn: (client: pg.Client, own: ReadonlySet<string>) => Promise<void>;
  },
): Promise<Liveness> {
  const own = new Set<string>();
  let [isClosed, generation] = [false, 0];
  const open = async () => {
    const next = new pg.Client({
      connectionString: url,
      application_name: "starbase-worker-liveness",
      connectionTimeoutMillis: 3_000,
      // A machine that vanished says no goodbye: the server finds out within about ten seconds.
      options: "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
    });
    next.on("error", onLost);
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
      await pause(retryMs);
      const next = await open().catch(() => undefined);
      if (!next) continue;
      [client, generation] = [next, generation + 1];
      if (isClosed) return void (await next.end().catch(() => undefined));
      return void (await onReturn(next, own).catch((error: unknown) =>
        logger.warn({ err: error }, "could not see whose jobs are still ours"),
      ));
    }
  };
  let client = await open();
  return {
    own,
    client: () => client,
    generation: () => generation,
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
