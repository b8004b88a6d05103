import type { BuildReport } from "@starform/contract/builds";
import { sql } from "kysely";
import type { DocumentKind } from "../../core/builds/documents/build-document.ts";
import type { BuildStore } from "../../core/builds/build-store.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

export const postgresBuildStore = (db: Db): BuildStore => ({
  async begin(buildId, at) {
    await db.updateTable("builds").set({ started_at: at }).where("id", "=", buildId).execute();
  },
  async keepReport(buildId, report) {
    await db
      .updateTable("builds")
      .set({ report: json(report) })
      .where("id", "=", buildId)
      .execute();
  },
  async keepDocuments(buildId, documents, at) {
    await db.deleteFrom("build_documents").where("build_id", "=", buildId).execute();
    const rows = documents.map(({ kind, mediaType, digest, text }) => ({
      build_id: buildId,
      kind,
      media_type: mediaType,
      digest,
      body: text,
      created_at: at,
    }));
    if (rows.length > 0) await db.insertInto("build_documents").values(rows).execute();
  },
  async documents(buildId) {
    const rows = await db
      .selectFrom("build_documents")
      .selectAll()
      .where("build_id", "=", buildId)
      .orderBy("kind", "desc")
      .execute();
    return rows.map((row) => ({
      kind: row.kind as DocumentKind,
      mediaType: row.media_type,
      digest: row.digest,
      text: row.body,
    }));
  },
  async byId(buildId) {
    const row = await db.selectFrom("builds").selectAll().where("id", "=", buildId).executeTakeFirst();
    return (
      row && {
        id: row.id,
        workspaceId: row.workspace_id,
        projectId: row.project_id,
        serviceId: row.service_id,
        createdAt: row.created_at,
        startedAt: row.started_at,
        endedAt: row.ended_at,
        image: row.image,
        imageDigest: row.image_digest,
        info: row.info as Record<string, unknown>,
        report: row.report as BuildReport | null,
      }
    );
  },
  async lastTook({ workspaceId, serviceId }, limit) {
    const service = await lastTook(db, "service_id", serviceId, limit);
    return {
      service,
      workspace: service.length > 0 ? [] : await lastTook(db, "workspace_id", workspaceId, limit),
    };
  },
});

async function lastTook(
  db: Db,
  column: "service_id" | "workspace_id",
  id: string,
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom("builds")
    .select(sql<number>`(extract(epoch from ended_at - started_at) * 1000)::float8`.as("took_ms"))
    .where(column, "=", id)
    .where("image", "is not", null)
    .where("started_at", "is not", null)
    .where("ended_at", "is not", null)
    .orderBy("ended_at", "desc")
    .limit(limit)
    .execute();
  return rows.map(({ took_ms }) => Math.max(0, Math.round(took_ms)));
}
