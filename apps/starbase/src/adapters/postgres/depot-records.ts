import { sql } from "kysely";
import type { SecretBox } from "../../core/variables/ports.ts";
import type { DepotRecords } from "../depot/depot-records.ts";
import type { Db } from "./database.ts";

export const postgresDepotRecords = (db: Db, box: Pick<SecretBox, "seal" | "open">): DepotRecords => ({
  async project(workspaceId, make) {
    const known = await projectOf(db, workspaceId);
    if (known !== undefined) return known;
    return db.transaction().execute(async (tx) => {
      // Held while Depot makes it: a second Worker waits, and then finds it.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`builder project ${workspaceId}`}, 0))`.execute(
        tx,
      );
      const made = (await projectOf(tx, workspaceId)) ?? (await make());
      await tx
        .insertInto("builder_projects")
        .values({ workspace_id: workspaceId, external_id: made, created_at: sql<Date>`now()` })
        .onConflict((on) => on.column("workspace_id").doNothing())
        .execute();
      return made;
    });
  },

  async add({ buildId, token }) {
    const { keyId, ciphertext } = box.seal(token);
    const sealed = { token_key_id: keyId, token_ciphertext: ciphertext };
    await db
      .insertInto("builder_builds")
      .values({ external_id: buildId, ...sealed, seen_at: sql<Date>`now()` })
      .execute();
  },

  async touch(buildId) {
    await db
      .updateTable("builder_builds")
      .set({ seen_at: sql<Date>`now()` })
      .where("external_id", "=", buildId)
      .execute();
  },

  async remove(buildId) {
    await db.deleteFrom("builder_builds").where("external_id", "=", buildId).execute();
  },

  async abandoned(forSeconds) {
    const rows = await db
      .selectFrom("builder_builds")
      .selectAll()
      .where("seen_at", "<", sql<Date>`now() - ${`${forSeconds} seconds`}::interval`)
      .execute();
    return rows.map(({ external_id: buildId, token_key_id: keyId, token_ciphertext: ciphertext }) => ({
      buildId,
      token: box.open({ keyId, ciphertext }),
    }));
  },

  async orphans() {
    const rows = await db
      .selectFrom("builder_projects")
      .select("external_id")
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(selectFrom("workspaces").select("id").whereRef("id", "=", "builder_projects.workspace_id")),
        ),
      )
      .execute();
    return rows.map(({ external_id: projectId }) => ({
      projectId,
      remove: async () =>
        void (await db.deleteFrom("builder_projects").where("external_id", "=", projectId).execute()),
    }));
  },
});

const projectOf = async (db: Db, workspaceId: string): Promise<string | undefined> =>
  (
    await db
      .selectFrom("builder_projects")
      .select("external_id")
      .where("workspace_id", "=", workspaceId)
      .executeTakeFirst()
  )?.external_id;
