import type { AuditEntry, AuditStore } from "../../core/audit/ports.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

export const postgresAuditStore = (db: Db): AuditStore => ({
  async add({ id, workspaceId, projectId, at, event, actor, subject, detail }) {
    await db
      .insertInto("audit_log")
      .values({
        id,
        workspace_id: workspaceId,
        project_id: projectId,
        at,
        event,
        actor,
        subject,
        detail: json(detail),
      })
      .execute();
  },
  async page(workspaceId, { projectId }, { limit, before }) {
    let query = db.selectFrom("audit_log").selectAll().where("workspace_id", "=", workspaceId);
    if (projectId) query = query.where("project_id", "=", projectId);
    if (before) query = query.where("id", "<", before);
    const rows = await query.orderBy("id", "desc").limit(limit).execute();
    return rows.map((row): AuditEntry => ({
      id: row.id,
      workspaceId: row.workspace_id,
      projectId: row.project_id,
      at: row.at,
      event: row.event,
      actor: row.actor,
      subject: row.subject,
      detail: row.detail as Record<string, unknown>,
    }));
  },
});
