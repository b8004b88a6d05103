import type { ServiceHealth, ServiceSettings, Source } from "@starform/contract/services";
import type { ServiceType } from "@starform/contract/names";
import { isUuid } from "@starform/std/ids";
import type { PlacedService, Service, ServiceStore } from "../../core/services/ports.ts";
import { defaultSettings } from "../../core/services/settings.ts";
import { onConstraint } from "./constraint.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

export const postgresServiceStore = (db: Db): ServiceStore => ({
  async insert({ id, workspaceId, projectId, name, type, source, createdAt, updatedAt }) {
    await db
      .insertInto("services")
      .values({
        id,
        workspace_id: workspaceId,
        project_id: projectId,
        name,
        type,
        source: json(source),
        created_at: createdAt,
        updated_at: updatedAt,
      })
      .execute()
      .catch(nameTaken(name));
  },
  async place({ serviceId, environmentId, settings }) {
    await db
      .insertInto("service_environments")
      .values({ service_id: serviceId, environment_id: environmentId, settings: json(settings) })
      .execute();
  },
  async ofProject(projectId) {
    const rows = await db
      .selectFrom("services")
      .selectAll()
      .where("project_id", "=", projectId)
      .orderBy("id")
      .execute();
    return rows.map(toService);
  },
  async existing(ids) {
    const asked = ids.filter(isUuid);
    if (asked.length === 0) return new Set();
    const rows = await db.selectFrom("services").select("id").where("id", "in", asked).execute();
    return new Set(rows.map(({ id }) => id));
  },
  async placed(projectId, environmentId, ref, lock) {
    let query = placedServices(db)
      .where("services.project_id", "=", projectId)
      .where("service_environments.environment_id", "=", environmentId);
    query = isUuid(ref) ? query.where("services.id", "=", ref) : query.where("services.name", "=", ref);
    if (lock) query = query.forUpdate("service_environments");
    const row = await query.executeTakeFirst();
    return row && toPlaced(row);
  },
  async allPlaced(projectId, environmentId) {
    const rows = await placedServices(db)
      .where("services.project_id", "=", projectId)
      .where("service_environments.environment_id", "=", environmentId)
      .orderBy("services.id")
      .execute();
    return rows.map(toPlaced);
  },
  async page(projectId, environmentId, { limit, after }) {
    let query = placedServices(db)
      .where("services.project_id", "=", projectId)
      .where("service_environments.environment_id", "=", environmentId);
    if (after) query = query.where("services.id", ">", after);
    return (await query.orderBy("services.id").limit(limit).execute()).map(toPlaced);
  },
  async placesOf(projectId, serviceId) {
    const rows = await placedServices(db)
      .where("services.project_id", "=", projectId)
      .where("services.id", "=", serviceId)
      .execute();
    return rows.map(toPlaced);
  },
  async update(projectId, serviceId, { name, source, updatedAt }) {
    await db
      .updateTable("services")
      .set({ updated_at: updatedAt, ...(name ? { name } : {}), ...(source ? { source: json(source) } : {}) })
      .where("project_id", "=", projectId)
      .where("id", "=", serviceId)
      .execute()
      .catch(nameTaken(name ?? ""));
  },
  async setSettings(serviceId, environmentId, settings) {
    await place(db, serviceId, environmentId)
      .set({ settings: json(settings) })
      .execute();
  },
  async setRestartNonce(serviceId, environmentId, nonce) {
    await place(db, serviceId, environmentId).set({ restart_nonce: nonce }).execute();
  },
  async setTarget(serviceId, environmentId, deploymentId) {
    await place(db, serviceId, environmentId).set({ target_deployment_id: deploymentId }).execute();
  },
  async setActive(serviceId, environmentId, deploymentId) {
    await place(db, serviceId, environmentId).set({ active_deployment_id: deploymentId }).execute();
  },
  async setHealth(serviceId, environmentId, health, at) {
    await place(db, serviceId, environmentId)
      .set({ health: json(health), health_at: at })
      .execute();
  },
  async nextNumber(serviceId, environmentId) {
    const row = await place(db, serviceId, environmentId)
      .set((eb) => ({ deployments_count: eb("deployments_count", "+", 1) }))
      .returning("deployments_count")
      .executeTakeFirstOrThrow();
    return row.deployments_count;
  },
  async setHost(serviceId, environmentId, hostname) {
    await db
      .insertInto("hosts")
      .values({ hostname, service_id: serviceId, environment_id: environmentId })
      .onConflict((on) => on.constraint("hosts_service_key").doUpdateSet({ hostname }))
      .execute()
      .catch(
        onConstraint(
          "hosts_pkey",
          "name_taken",
          `another service already answers at ${hostname}: choose another name for the service or the project`,
        ),
      );
  },
  async remove(projectId, serviceId) {
    await db.deleteFrom("services").where("project_id", "=", projectId).where("id", "=", serviceId).execute();
  },
});

const nameTaken = (name: string) =>
  onConstraint("services_project_name_key", "name_taken", `the project already has a service named ${name}`);

const place = (db: Db, serviceId: string, environmentId: string) =>
  db
    .updateTable("service_environments")
    .where("service_id", "=", serviceId)
    .where("environment_id", "=", environmentId);

export const placedServices = (db: Db) =>
  db
    .selectFrom("service_environments")
    .innerJoin("services", "services.id", "service_environments.service_id")
    .innerJoin("environments", "environments.id", "service_environments.environment_id")
    .leftJoin("hosts", (on) =>
      on
        .onRef("hosts.service_id", "=", "service_environments.service_id")
        .onRef("hosts.environment_id", "=", "service_environments.environment_id"),
    )
    .select([
      "services.id",
      "services.workspace_id",
      "services.project_id",
      "services.name",
      "services.type",
      "services.source",
      "services.created_at",
      "services.updated_at",
      "service_environments.environment_id",
      "environments.name as environment",
      "service_environments.settings",
      "service_environments.restart_nonce",
      "service_environments.target_deployment_id",
      "service_environments.active_deployment_id",
      "service_environments.health",
      "service_environments.health_at",
      "hosts.hostname",
    ]);

type ServiceRow = {
  id: string;
  workspace_id: string;
  project_id: string;
  name: string;
  type: string;
  source: unknown;
  created_at: Date;
  updated_at: Date;
};
const toService = (row: ServiceRow): Service => ({
  id: row.id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  name: row.name,
  type: row.type as ServiceType,
  source: row.source as Source,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export type PlacedRow = Awaited<ReturnType<ReturnType<typeof placedServices>["execute"]>>[number];
export const toPlaced = (row: PlacedRow): PlacedService => ({
  ...toService(row),
  environmentId: row.environment_id,
  environment: row.environment,
  // A setting that is younger than the row is not in it.
  settings: { ...defaultSettings, ...(row.settings as Partial<ServiceSettings>) },
  restartNonce: row.restart_nonce,
  targetDeploymentId: row.target_deployment_id,
  activeDeploymentId: row.active_deployment_id,
  hostname: row.hostname,
  health: row.health as Partial<ServiceHealth>,
  healthAt: row.health_at,
});
