import type { Plan } from "@starform/contract/plans";
import type { DeploymentStatus } from "@starform/contract/states";
import { sql } from "kysely";
import type { ReceiptFact } from "../../core/images/decide-images.ts";
import type { CollectedImage, RetentionStore } from "../../core/images/retention-store.ts";
import type { Db } from "./database.ts";

export const postgresRetentionStore = (db: Db): RetentionStore => ({
  async owned(repositories) {
    if (repositories.length === 0) return [];
    const rows = await db
      .selectFrom("services")
      .innerJoin("workspaces", "workspaces.id", "services.workspace_id")
      .select(["services.id", "services.project_id", "services.workspace_id", "workspaces.plan"])
      .where("services.id", "in", [...new Set(repositories.map(({ serviceId }) => serviceId))])
      .execute();
    return rows
      .filter((row) =>
        repositories.some((one) => one.serviceId === row.id && one.projectId === row.project_id),
      )
      .map((row) => ({
        serviceId: row.id,
        projectId: row.project_id,
        workspaceId: row.workspace_id,
        plan: row.plan as Plan,
      }));
  },
  async receipts({ workspaceId, projectId }) {
    let query = db
      .selectFrom("deployments")
      .innerJoin("service_environments as places", (on) =>
        on
          .onRef("places.service_id", "=", "deployments.service_id")
          .onRef("places.environment_id", "=", "deployments.environment_id"),
      )
      .select([
        "deployments.service_id",
        "deployments.environment_id",
        "deployments.number",
        "deployments.image",
        "deployments.status",
        "deployments.created_at",
        "deployments.ended_at",
        sql<boolean>`coalesce(deployments.id in (places.target_deployment_id, places.active_deployment_id), false)`.as(
          "is_wanted",
        ),
      ])
      .where("deployments.workspace_id", "=", workspaceId)
      .where("deployments.image", "is not", null);
    if (projectId) query = query.where("deployments.project_id", "=", projectId);
    return (await query.execute()).map((row): ReceiptFact => ({
      placeId: `${row.service_id} ${row.environment_id}`,
      number: row.number,
      image: row.image!,
      status: row.status as DeploymentStatus,
      createdAt: row.created_at,
      endedAt: row.ended_at,
      isWanted: row.is_wanted,
    }));
  },
  async hold({ projectId, serviceId }) {
    let query = db
      .selectFrom("service_environments")
      .innerJoin("services", "services.id", "service_environments.service_id")
      .select("service_environments.service_id")
      .where("services.project_id", "=", projectId);
    if (serviceId) query = query.where("services.id", "=", serviceId);
    const held = await query
      .orderBy("service_environments.service_id")
      .orderBy("service_environments.environment_id")
      .forUpdate("service_environments")
      .execute();
    const building = held.length
      ? await db
          .selectFrom("deployments")
          .select("id")
          .where("project_id", "=", projectId)
          .where("service_id", "in", [...new Set(held.map((row) => row.service_id))])
          .where("status", "in", ["building", "built"])
          .limit(1)
          .executeTakeFirst()
      : undefined;
    return { isBuilding: building !== undefined };
  },
  async mark({ image, projectId, serviceId, reason, sizeBytes, collectedAt, removedAt }) {
    await db
      .insertInto("collected_images")
      .values({
        image,
        project_id: projectId,
        service_id: serviceId,
        reason,
        size_bytes: sizeBytes,
        collected_at: collectedAt,
        removed_at: removedAt,
      })
      .onConflict((on) => on.column("image").doNothing())
      .execute();
  },
  async find(projectId, image) {
    const row = await db
      .selectFrom("collected_images")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("image", "=", image)
      .executeTakeFirst();
    return row && toCollected(row);
  },
  async unremoved() {
    const rows = await db
      .selectFrom("collected_images")
      .selectAll()
      .where("removed_at", "is", null)
      .orderBy("collected_at")
      .orderBy("image")
      .execute();
    return rows.map(toCollected);
  },
  async setRemoved(projectId, image, at) {
    await db
      .updateTable("collected_images")
      .set({ removed_at: at })
      .where("project_id", "=", projectId)
      .where("image", "=", image)
      .execute();
  },
  async unmark(projectId, image) {
    await db
      .deleteFrom("collected_images")
      .where("project_id", "=", projectId)
      .where("image", "=", image)
      .execute();
  },
});

const toCollected = (row: {
  image: string;
  project_id: string;
  service_id: string;
  reason: string;
  size_bytes: number;
  collected_at: Date;
  removed_at: Date | null;
}): CollectedImage => ({
  image: row.image,
  projectId: row.project_id,
  serviceId: row.service_id,
  reason: row.reason as CollectedImage["reason"],
  sizeBytes: row.size_bytes,
  collectedAt: row.collected_at,
  removedAt: row.removed_at,
});
