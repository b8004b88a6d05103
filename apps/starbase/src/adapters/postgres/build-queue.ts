import type { Plan } from "@starform/contract/plans";
import { sql } from "kysely";
import type { BuildQueue } from "../../core/builds/build-queue.ts";
import type { Db } from "./database.ts";

export const postgresBuildQueue = (db: Db): BuildQueue => ({
  async add({ deploymentId, workspaceId, serviceId, environmentId, enqueuedAt, readyAt }) {
    await db
      .insertInto("build_queue")
      .values({
        deployment_id: deploymentId,
        workspace_id: workspaceId,
        service_id: serviceId,
        environment_id: environmentId,
        enqueued_at: enqueuedAt,
        ready_at: readyAt,
      })
      .execute();
  },
  async remove(deploymentId) {
    const row = await db
      .deleteFrom("build_queue")
      .where("deployment_id", "=", deploymentId)
      .where("ticket", "is", null)
      .returning("enqueued_at")
      .executeTakeFirst();
    return row?.enqueued_at;
  },
  async all() {
    const rows = await db
      .selectFrom("build_queue")
      .innerJoin("workspaces", "workspaces.id", "build_queue.workspace_id")
      .innerJoin("environments", "environments.id", "build_queue.environment_id")
      .selectAll("build_queue")
      .select(["plan", "is_protected", "is_ephemeral"])
      .execute();
    return rows.map((row) => ({
      deploymentId: row.deployment_id,
      workspaceId: row.workspace_id,
      plan: row.plan as Plan,
      serviceId: row.service_id,
      environmentId: row.environment_id,
      isProtected: row.is_protected,
      isEphemeral: row.is_ephemeral,
      enqueuedAt: row.enqueued_at,
      readyAt: row.ready_at,
      ticket: row.ticket,
      claimedAt: row.claimed_at,
    }));
  },
  async byTicket(ticket) {
    const row = await db
      .selectFrom("build_queue")
      .select("deployment_id")
      .where("ticket", "=", ticket)
      .executeTakeFirst();
    return row?.deployment_id;
  },
  async byDeployment(deploymentId) {
    return db
      .selectFrom("build_queue")
      .select("ticket")
      .where("deployment_id", "=", deploymentId)
      .executeTakeFirst();
  },
  async lockClaims() {
    await sql`select pg_advisory_xact_lock(hashtext('starform.build-claims'))`.execute(db);
  },
  async claim(deploymentId, ticket, at) {
    await db
      .updateTable("build_queue")
      .set({ ticket, claimed_at: at })
      .where("deployment_id", "=", deploymentId)
      .where("ticket", "is", null)
      .execute();
  },
  async release(ticket) {
    await db.deleteFrom("build_queue").where("ticket", "=", ticket).execute();
  },
});
