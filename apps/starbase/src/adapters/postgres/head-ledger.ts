import { sql } from "kysely";
import type { HeadLedger } from "../../core/builds/head-ledger.ts";
import type { Db } from "./database.ts";

export const postgresHeadLedger = (db: Db): HeadLedger => ({
  async claim(serviceId, ref, sha) {
    const { rows } = await sql`
      insert into git_heads (service_id, ref, sha, seen_at)
      select ${serviceId}::uuid, ${ref}, ${sha}, now() where exists (select from services where id = ${serviceId}::uuid)
      on conflict on constraint git_heads_pkey do update set sha = excluded.sha, seen_at = now(), settled_at = null
        where git_heads.sha <> excluded.sha
      returning 1`.execute(db);
    return rows.length > 0;
  },

  async known(serviceId) {
    const { rows } = await sql<{ ref: string; sha: string }>`
      select ref, sha from git_heads where service_id = ${serviceId}::uuid`.execute(db);
    return new Map(rows.map(({ ref, sha }) => [ref, sha]));
  },

  async settle(serviceId, ref, sha) {
    await sql`update git_heads set settled_at = now()
      where service_id = ${serviceId}::uuid and ref = ${ref} and sha = ${sha} and settled_at is null`.execute(
      db,
    );
  },

  async forget(serviceId, ref) {
    await sql`delete from git_heads where service_id = ${serviceId}::uuid and ref = ${ref}`.execute(db);
  },

  async reclaim(olderThanMs) {
    const { rows } = await sql<{ serviceId: string; ref: string; sha: string }>`
      update git_heads set seen_at = now()
      where settled_at is null and seen_at < now() - make_interval(secs => ${olderThanMs / 1_000})
      returning service_id as "serviceId", ref, sha`.execute(db);
    return rows;
  },
});
