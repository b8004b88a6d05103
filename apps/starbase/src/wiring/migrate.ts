import { isFault, wordsOf } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import { fingerprintsOf, secretBox } from "../adapters/local/secret-box.ts";
import { openDatabase } from "../adapters/postgres/database.ts";
import { refuseForeignKeys } from "../adapters/postgres/encryption-keys.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import { readConfig } from "../config.ts";

/** What sysexits(3) calls EX_TEMPFAIL. */
const tryAgainLater = 75;

/**
 * Brings the database to this build's schema, and refuses one that is sealed with other keys; resolves with the exit code. Whatever stops it is said in its own words
 * alone: 75 if that may heal by itself (a database that cannot be reached), 1 if somebody has to change something.
 */
export async function migrateCommand(env: Env): Promise<number> {
  try {
    const { database, encryptionKeys } = readConfig(env);
    await migrate(database.url);
    await using opened = openDatabase({ ...database, onError: () => undefined });
    await refuseForeignKeys(opened.db, fingerprintsOf(encryptionKeys), secretBox(encryptionKeys));
    return 0;
  } catch (error) {
    console.error(isFault(error) ? error.message : `the database could not be migrated: ${wordsOf(error)}`);
    return isFault(error, "unavailable") ? tryAgainLater : 1;
  }
}
