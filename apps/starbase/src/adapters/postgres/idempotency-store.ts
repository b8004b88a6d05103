import { sql } from "kysely";
import type { IdempotencyStore } from "../../core/idempotency.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

export const postgresIdempotencyStore = (db: Db): IdempotencyStore => ({
  async begin({ userId, key, digest }) {
    const { rows } = await sql<{ ok: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`starform.idempotency.${userId}.${key}`}, 0)) as ok`.execute(
      db,
    );
    if (!rows[0]?.ok) return { outcome: "running" };
    const row = await db
      .selectFrom("idempotency_keys")
      .selectAll()
      .where("user_id", "=", userId)
      .where("key", "=", key)
      .executeTakeFirst();
    if (!row) return { outcome: "begun" };
    if (row.request_digest !== digest) return { outcome: "other_request" };
    return { outcome: "done", status: row.status, sealed: (row.response as { sealed: string }).sealed };
  },
  async finish({ userId, key, digest }, { status, sealed, at }) {
    await db
      .insertInto("idempotency_keys")
      .values({
        user_id: userId,
        key,
        request_digest: digest,
        status,
        response: json({ sealed }),
        created_at: at,
      })
      .execute();
  },
  async prune(before) {
    await db.deleteFrom("idempotency_keys").where("created_at", "<", before).execute();
  },
});
