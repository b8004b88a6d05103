import { sql } from "kysely";
import type { ClusterRecord, ClusterRecordStore } from "../../core/clusters/record-ports.ts";
import type { Db } from "./database.ts";

type Told = {
  readonly shuttle_version?: string;
  readonly kubernetes_version?: string | null;
  readonly current_pod_count?: number;
  readonly soft_limit?: number;
};

export const postgresClusterRecordStore = (db: Db): ClusterRecordStore => ({
  async page({ limit, after }) {
    let query = records(db);
    if (after) query = query.where("clusters.id", ">", after);
    return (await query.orderBy("clusters.id").limit(limit).execute()).map(toRecord);
  },
  async byId(id) {
    const row = await records(db).where("clusters.id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  },
  async insert({ id, regionId, tokenHash, createdAt }) {
    await db
      .insertInto("regions")
      .values({ id: regionId, name: regionId, cloud: "kubernetes" })
      .onConflict((on) => on.column("id").doNothing())
      .execute();
    await db
      .insertInto("clusters")
      .values({
        id,
        region_id: regionId,
        runtime: "kubernetes",
        token_hash: tokenHash,
        created_at: createdAt,
      })
      .execute();
  },
  async replaceToken(id, tokenHash) {
    const [{ numUpdatedRows } = { numUpdatedRows: 0n }] = await db
      .updateTable("clusters")
      .set({ token_hash: tokenHash })
      .where("id", "=", id)
      .execute();
    return numUpdatedRows > 0n;
  },
});

const records = (db: Db) =>
  db
    .selectFrom("clusters")
    .selectAll("clusters")
    .select(
      sql<string>`(select count(*) from projects where projects.cluster_id = clusters.id)`.as("projects"),
    );

type Row = Awaited<ReturnType<ReturnType<typeof records>["execute"]>>[number];

function toRecord(row: Row): ClusterRecord {
  const [registration, capacity] = [row.registration as Told, row.capacity as Told];
  return {
    id: row.id,
    regionId: row.region_id,
    runtime: row.runtime,
    shuttleVersion: registration.shuttle_version ?? null,
    kubernetesVersion: registration.kubernetes_version ?? null,
    desiredVersion: Number(row.desired_version),
    projects: Number(row.projects),
    pods: capacity.current_pod_count ?? null,
    podsSoftLimit: capacity.soft_limit ?? null,
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
  };
}
