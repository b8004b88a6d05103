import type { IdempotencyStore } from "../../core/idempotency.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

/** A request that died half way leaves its key taken for this long. */
const runningMs = 60_000;

export const postgresIdempotencyStore = (db: Db): IdempotencyStore => ({
  async begin(userId, key, requestDigest, now) {
    await db
      .deleteFrom("idempotency_keys")
      .where("user_id", "=", userId)
      .where("key", "=", key)
      .where("status", "is", null)
      .where("created_at", "<", new Date(now.getTime() - runningMs))
      .execute();
    const taken = await db
      .insertInto("idempotency_keys")
      .values({ user_id: userId, key, request_digest: requestDigest, created_at: now })
      .onConflict((on) => on.constraint("idempotency_keys_pkey").doNothing())
      .returning("key")
      .executeTakeFirst();
    if (taken) return { outcome: "begun" };
    const row = await db
      .selectFrom("idempotency_keys")
      .selectAll()
      .where("user_id", "=", userId)
      .where("key", "=", key)
      .executeTakeFirst();
    if (!row || row.status === null) return { outcome: "running" };
    if (row.request_digest !== requestDigest) return { outcome: "other_request" };
    return { outcome: "done", status: row.status, sealed: (row.response as { sealed: string }).sealed };
  },
  async finish(userId, key, status, sealed) {
    await db
      .updateTable("idempotency_keys")
      .set({ status, response: json({ sealed }) })
      .where("user_id", "=", userId)
      .where("key", "=", key)
      .execute();
  },
  async forget(userId, key) {
    await db
      .deleteFrom("idempotency_keys")
      .where("user_id", "=", userId)
      .where("key", "=", key)
      .where("status", "is", null)
      .execute();
  },
  async prune(before) {
    await db.deleteFrom("idempotency_keys").where("created_at", "<", before).execute();
  },
});
