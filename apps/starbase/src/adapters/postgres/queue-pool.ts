import { pause } from "@starform/std/retry";
import pg from "pg";

const retryMs = 500;

type Options = {
  url: string;
  concurrency: number;
  /** Ends the patience: the worker closes. */
  stopping: AbortSignal;
  onLost: (error: unknown) => void;
};

/**
 * The queue's own connections: one for each job that runs, one that listens, one to spare. The library names its
 * statements itself; over the stores' pool, which names each by its digest, it did 1,600 to 1,900 jobs/s where a plain
 * one did 2,811 (bench/queue.ts, two busy cores). A lost connection is said here and made anew by whoever needs it.
 *
 * A job may end while the server is away. The library writes that down once and gives itself up when it cannot; so
 * whoever asks for a connection waits until there is one, and how a job ended is written until it is.
 */
export function openQueuePool({ url, concurrency, stopping, onLost }: Options): pg.Pool {
  const pool: pg.Pool = new pg.Pool({
    connectionString: url,
    max: concurrency + 2,
    connectionTimeoutMillis: 10_000,
    application_name: "starbase-jobs",
    Client: persistent(() => pool) as unknown as typeof pg.Client,
  });
  pool.on("error", onLost);
  pool.on("connect", (client) => client.on("error", onLost));
  return patient(pool, stopping);
}

type Done = (error: Error | undefined, client?: pg.PoolClient, release?: pg.PoolClient["release"]) => void;

/** Lets `connect` wait for the server, both in its form with a promise and in the one with a callback. */
function patient(pool: pg.Pool, stopping: AbortSignal): pg.Pool {
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
  const patiently = async (): Promise<pg.PoolClient> => {
    for (;;)
      try {
        return await connect();
      } catch (error) {
        if (stopping.aborted || !isAway(error)) throw error;
        await pause(retryMs, stopping);
      }
  };
  const handTo = async (done: Done): Promise<void> => {
    let client: pg.PoolClient;
    try {
      client = await patiently();
    } catch (error) {
      return done(error as Error);
    }
    done(undefined, client, client.release.bind(client));
  };
  const connectOr = (done?: Done) => (done ? void handTo(done) : patiently());
  return Object.assign(pool, { connect: connectOr as unknown as pg.Pool["connect"] });
}

/** Clients that write how a job ended over another connection when theirs breaks under it. Twice changes nothing. */
const persistent = (pool: () => pg.Pool) =>
  class extends pg.Client {
    // pg's own signature is a bundle of overloads; only the library's way of calling is changed, the rest passes through.
    // oxlint-disable-next-line typescript/no-explicit-any
    override query(...args: any[]): any {
      const result: unknown = (super.query as (...a: unknown[]) => unknown)(...args);
      const [config] = args as [pg.QueryConfig | undefined];
      if (!config?.name || !/^(complete|fail)_job/.test(config.name) || !(result instanceof Promise))
        return result;
      return result.catch(async (error: unknown) => {
        if (!isAway(error)) throw error;
        const other = await pool().connect();
        try {
          return await other.query(config);
        } finally {
          other.release();
        }
      });
    }
  };

const awayCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "57P01",
  "57P02",
  "57P03",
]);
/** pg has no code of its own for a connection that broke under a query, or that could not be had in time. */
export const isAway = (error: unknown): boolean =>
  awayCodes.has((error as { code?: string }).code ?? "") ||
  /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(
    (error as Error).message,
  );
