import { Fault } from "@starform/std/fault";
import type { Session } from "chdb";
import { asEngineError, EngineError } from "./engine-error.ts";
import type { RawInsert } from "./statement.ts";

export type Work = { readonly database: string | undefined };
export type Written = { readonly rows: number; readonly bytes: number };
export type Answer = { readonly bytes: Uint8Array; readonly rowsRead: number; readonly bytesRead: number };

/** The one owner of a ClickHouse data directory. Every method rejects with an EngineError in the engine's words. */
export interface Engine extends AsyncDisposable {
  readonly version: string;
  /** Runs a statement and holds its whole answer: for statements whose answer is small. */
  run(sql: string, format: string, work: Work): Promise<Answer>;
  /** The answer of a SELECT piece by piece as the reader takes it; ending the loop cancels the statement. */
  read(sql: string, format: string, work: Work): AsyncIterable<Uint8Array>;
  /** Resolves when the rows are in a part on disk: a killed process has them again at its next start. */
  insert(into: RawInsert, rows: Buffer, work: Work): Promise<Written>;
}

/** One connection runs one statement at a time; these many run side by side, the next ones wait. */
const sessionsMax = 8;
const waitingMax = 256;
/** A statement that would need more fails alone with MEMORY_LIMIT_EXCEEDED; caches are sized for one machine. */
const engineArguments = [
  "--max_memory_usage=400000000",
  "--mark_cache_size=67108864",
  "--background_pool_size=2",
  "--background_schedule_pool_size=4",
  "--async_insert=0",
];

/** Opens the directory; throws one sentence when the platform has no engine or another process holds the directory. */
export async function openEngine(dataDir: string): Promise<Engine> {
  const { Session, drainPending } = await loadLibrary();
  const open = (): Session => new Session(dataDir, { connectionArgs: engineArguments });
  const pool = sessionPool(open, dataDir);
  const version = await pool.use({ database: undefined }, async (session) =>
    (await session.queryAsync("SELECT version()", { format: "TabSeparated" })).text().trim(),
  );

  return {
    version,
    run: (sql, format, work) =>
      pool.use(work, async (session) => {
        const answer = await session.queryAsync(sql, { format });
        return { bytes: answer.bytes(), rowsRead: answer.rowsRead, bytesRead: answer.bytesRead };
      }),
    async *read(sql, format, work) {
      const lease = await pool.take(work);
      try {
        for await (const chunk of lease.session.queryStream(sql, { format })) yield chunk.raw();
      } catch (error) {
        throw asEngineError(error);
      } finally {
        lease.giveBack();
      }
    },
    insert: (into, rows, work) =>
      pool.use(work, async (session) => {
        const { columns, ...rest } = into;
        const done = await session.insert({ ...rest, ...(columns ? { columns } : {}), values: rows });
        return { rows: done.rowsWritten, bytes: done.bytesWritten };
      }),
    async [Symbol.asyncDispose]() {
      // Leaving while the engine still works ends in a native crash, so both waits are needed.
      await drainPending();
      pool.close();
      await drainPending();
    },
  };
}

async function loadLibrary(): Promise<typeof import("chdb")> {
  try {
    return await import("chdb");
  } catch (error) {
    throw new Fault(
      "unavailable",
      `telemetry has no ClickHouse engine for ${process.platform}-${process.arch}: chDB is published for Linux with glibc and macOS, x64 and arm64. ` +
        `Point the platform at a ClickHouse server instead, or install the optional package @chdb/lib-${process.platform}-${process.arch}.`,
      { cause: error },
    );
  }
}

type Lease = { readonly session: Session; giveBack(): void };

function sessionPool(open: () => Session, dataDir: string) {
  const all: Session[] = [];
  const idle: Session[] = [];
  const waiting: ((session: Session) => void)[] = [];
  const databases = new WeakMap<Session, string>();

  const openAnother = (): Session => {
    try {
      const session = open();
      all.push(session);
      return session;
    } catch (error) {
      throw new Fault(
        "unavailable",
        `telemetry cannot open ${dataDir}: another process holds it (only one may), or it cannot be written. ` +
          `Stop the other one (its id is in ${dataDir}/status) or give another TELEMETRY_DATA_DIR.`,
        { cause: error },
      );
    }
  };
  const next = async (): Promise<Session> => {
    const free = idle.pop();
    if (free) return free;
    if (all.length < sessionsMax) return openAnother();
    if (waiting.length >= waitingMax)
      throw new EngineError(
        202,
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        `${waitingMax} statements wait already: send fewer at once, or again later`,
      );
    return new Promise((resolve) => waiting.push(resolve));
  };
  const giveBack = (session: Session): void => {
    const taker = waiting.shift();
    if (taker) taker(session);
    else idle.push(session);
  };

  const take = async ({ database = "default" }: Work): Promise<Lease> => {
    const session = await next();
    try {
      if ((databases.get(session) ?? "default") !== database) {
        await session.queryAsync(`USE \`${database.replace(/[\\`]/g, "\\$&")}\``);
        databases.set(session, database);
      }
    } catch (error) {
      giveBack(session);
      throw asEngineError(error);
    }
    return { session, giveBack: () => giveBack(session) };
  };

  return {
    take,
    async use<T>(work: Work, run: (session: Session) => Promise<T>): Promise<T> {
      const lease = await take(work);
      try {
        return await run(lease.session);
      } catch (error) {
        throw asEngineError(error);
      } finally {
        lease.giveBack();
      }
    },
    close: () => all.forEach((session) => session.close()),
  };
}
