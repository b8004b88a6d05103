import type { ProjectCredential, ProjectCredentialStore } from "../../core/images/ports.ts";
import type { Db } from "./database.ts";

export const postgresCredentialStore = (db: Db): ProjectCredentialStore => ({
  async put({ projectId, kind, host, username, password, createdBy, createdAt }) {
    const value = {
      username,
      key_id: password.keyId,
      ciphertext: password.ciphertext,
      created_by: createdBy,
      created_at: createdAt,
    };
    await db
      .insertInto("project_credentials")
      .values({ project_id: projectId, kind, host, ...value })
      .onConflict((on) => on.columns(["project_id", "kind", "host"]).doUpdateSet(value))
      .execute();
  },
  async ofProject(projectId, kind) {
    const rows = await db
      .selectFrom("project_credentials")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("kind", "=", kind)
      .orderBy("host")
      .execute();
    return rows.map((row): ProjectCredential => ({
      projectId: row.project_id,
      kind,
      host: row.host,
      username: row.username,
      password: { keyId: row.key_id, ciphertext: row.ciphertext },
      createdBy: row.created_by,
      createdAt: row.created_at,
    }));
  },
  async remove(projectId, kind, host) {
    const { numDeletedRows } = await db
      .deleteFrom("project_credentials")
      .where("project_id", "=", projectId)
      .where("kind", "=", kind)
      .where("host", "=", host)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  },
});

export const toCredential = (row: {
  project_id: string;
  kind: string;
  host: string;
  username: string;
  key_id: string;
  ciphertext: Buffer;
  created_by: string;
  created_at: Date;
}): ProjectCredential => ({
  projectId: row.project_id,
  kind: row.kind as ProjectCredential["kind"],
  host: row.host,
  username: row.username,
  password: { keyId: row.key_id, ciphertext: row.ciphertext },
  createdBy: row.created_by,
  createdAt: row.created_at,
});
