import { Fault } from "@starform/std/fault";
import type { SecretBox } from "../../core/variables/ports.ts";
import type { KeyFingerprint } from "../local/secret-box.ts";
import type { Db } from "./database.ts";

/**
 * Notes each key the first time the database is used with it. Rejects with a Fault `conflict` when the database knows
 * another key by the same id, or holds what this one does not open: everything sealed there would be lost to it.
 */
export async function refuseForeignKeys(
  db: Db,
  fingerprints: readonly KeyFingerprint[],
  box: Pick<SecretBox, "open">,
): Promise<void> {
  for (const key of fingerprints) {
    const known = await fingerprintOf(db, key.id);
    if (known === undefined && (await opensWhatIsSealed(db, key.id, box)))
      await db
        .insertInto("encryption_keys")
        .values(key)
        .onConflict((on) => on.column("id").doNothing())
        .execute();
    // Read again: another process may have been first, with another key.
    if ((known ?? (await fingerprintOf(db, key.id))) !== key.fingerprint) throw foreign(key.id);
  }
}

const foreign = (id: string): Fault =>
  new Fault(
    "conflict",
    `what is sealed in this database was sealed with another encryption key ${id} than the one configured: bring back secrets/encryption.key of the data directory it was used with, or use an empty database`,
  );

const fingerprintOf = async (db: Db, id: string): Promise<string | undefined> =>
  (await db.selectFrom("encryption_keys").select("fingerprint").where("id", "=", id).executeTakeFirst())
    ?.fingerprint;

/** A database may have been used before keys were noted. */
async function opensWhatIsSealed(db: Db, keyId: string, box: Pick<SecretBox, "open">): Promise<boolean> {
  const sealed = await db
    .selectFrom("var_group_entries")
    .select("ciphertext")
    .where("key_id", "=", keyId)
    .limit(1)
    .executeTakeFirst();
  if (!sealed) return true;
  try {
    box.open({ keyId, ciphertext: sealed.ciphertext });
    return true;
  } catch {
    return false;
  }
}
