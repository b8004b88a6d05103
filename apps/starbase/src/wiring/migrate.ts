import { isFault, wordsOf } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import { migrate } from "../adapters/postgres/migrate.ts";
import { readConfig } from "../config.ts";

/** What sysexits(3) calls EX_TEMPFAIL. */
const tryAgainLater = 75;

/**
 * Brings the database to this build's schema; resolves with the exit code. Whatever stops it is said in its own words
 * alone: 75 if that may heal by itself (a database that cannot be reached), 1 if somebody has to change something.
 */
export async function migrateCommand(env: Env): Promise<number> {
  try {
    await migrate(readConfig(env).database.url);
    return 0;
  } catch (error) {
    console.error(isFault(error) ? error.message : `the database could not be migrated: ${wordsOf(error)}`);
    return isFault(error, "unavailable") ? tryAgainLater : 1;
  }
}
