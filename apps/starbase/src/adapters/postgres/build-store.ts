import type { BuildReport } from "@starform/contract/builds";
import { sql } from "kysely";
import type { DocumentKind } from "../../core/builds/documents/build-document.ts";
import type { BuildStore, LastTook } from "../../core/builds/build-store.ts";
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
  async lastTook(owners, limit) {
    const ofServices = await lastTook(
      db,
      "service_id",
      owners.map(({ serviceId }) => serviceId),
      limit,
    );
    const others = owners.filter(({ serviceId }) => !ofServices.has(serviceId));
    const ofWorkspaces = await lastTook(
      db,
      "workspace_id",
      others.map(({ workspaceId }) => workspaceId),
      limit,
    );
    const found = owners.map(({ serviceId, workspaceId }): [string, LastTook | undefined] => {
      const [own, all] = [ofServices.get(serviceId), ofWorkspaces.get(workspaceId)];
      return [
        serviceId,
        own ? { basis: "service", tookMs: own } : all && { basis: "workspace", tookMs: all },
      ];
    });
    return new Map(found.filter((one): one is [string, LastTook] => one[1] !== undefined));
  },
});

/** Nothing for those that have built nothing. */
async function lastTook(
  db: Db,
  column: "service_id" | "workspace_id",
  ids: readonly string[],
  limit: number,
): Promise<Map<string, number[]>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; took_ms: number[] }>`
    select owner.id, array_agg(greatest(0, last.took_ms) order by last.ended_at desc) as took_ms
    from unnest(${[...new Set(ids)]}::uuid[]) as owner (id)
    cross join lateral (
      select round(extract(epoch from ended_at - started_at) * 1000)::float8 as took_ms, ended_at
      from builds
      where ${sql.ref(column)} = owner.id
        and image is not null and started_at is not null and ended_at is not null
      order by ended_at desc
      limit ${limit}
    ) as last
    group by owner.id`.execute(db);
  return new Map(rows.map(({ id, took_ms }) => [id, took_ms]));
}
