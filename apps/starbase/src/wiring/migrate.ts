import type { Env } from "@starform/std/parse-env";
import { fingerprintsOf, secretBox } from "../adapters/local/secret-box.ts";
import { openDatabase } from "../adapters/postgres/database.ts";
import { refuseForeignKeys } from "../adapters/postgres/encryption-keys.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import { readConfig } from "../config.ts";
import { sayingWhy } from "./run-process.ts";

/** Brings the database to this build's schema, and refuses one that is sealed with other keys; resolves with the exit code. */
export const migrateCommand = (env: Env): Promise<number> =>
  sayingWhy("the database could not be migrated", async () => {
    const { database, encryptionKeys } = readConfig(env);
    await migrate(database.url);
    await using opened = openDatabase({ ...database, onError: () => undefined });
    await refuseForeignKeys(opened.db, fingerprintsOf(encryptionKeys), secretBox(encryptionKeys));
  });
