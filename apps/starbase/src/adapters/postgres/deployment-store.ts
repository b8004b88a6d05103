import type { ServiceSettings } from "@starform/contract/services";
import type { DeploymentStatus } from "@starform/contract/states";
import { sql } from "kysely";
import type { Commit, SourceRef } from "../../core/builds/ports.ts";
import type {
  Build,
  Deployment,
  DeploymentChange,
  DeploymentStore,
  RunConfig,
  SeenDeployment,
  Stage,
  Trigger,
} from "../../core/deployments/ports.ts";
import { announcer } from "./changes.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";

const ownSource: readonly Trigger[] = ["push", "up", "api", "redeploy"];
const openStatuses = ["pending", "building", "built", "deploying"] as const;

export const postgresDeploymentStore = (db: Db): DeploymentStore => ({
  async insert(d) {
    await db
      .insertInto("deployments")
      .values({
        id: d.id,
        workspace_id: d.workspaceId,
        project_id: d.projectId,
        service_id: d.serviceId,
        environment_id: d.environmentId,
        number: d.number,
        trigger: d.trigger,
        variables_key_id: d.variables.keyId,
        variables_ciphertext: d.variables.ciphertext,
        variable_digests: json(d.variableDigests),
        no_cache: d.noCache,
        rollback_of: d.rollbackOf,
        created_by: d.createdBy,
        created_at: d.createdAt,
        source: d.source && json(d.source),
        ...changed(d),
        status: d.status,
        stages: json(d.stages),
      })
      .execute();
  },
  async change(id, from, change) {
    const row = await db
      .updateTable("deployments")
      .set((eb) => ({ ...changed(change), revision: eb("revision", "+", 1) }))
      .where("id", "=", id)
      .where("status", "in", from)
      .returningAll()
      .executeTakeFirst();
    if (row) await announcer(db).announce({ kind: "deployment", deploymentId: id });
    return row && toDeployment(row);
  },
  async seenById(id) {
    const row = await seenDeployments(db).where("deployments.id", "=", id).executeTakeFirst();
    return row && toSeen(row);
  },
  async byId(projectId, id) {
    const row = await db
      .selectFrom("deployments")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row && toDeployment(row);
  },
  async page(projectId, serviceId, environmentId, { limit, before }) {
    let query = seenDeployments(db)
      .where("deployments.project_id", "=", projectId)
      .where("deployments.service_id", "=", serviceId)
      .where("deployments.environment_id", "=", environmentId);
    if (before)
      query = query.where("deployments.number", "<", (eb) =>
        eb
          .selectFrom("deployments as last")
          .select("last.number")
          .where("last.id", "=", before)
          .where("last.service_id", "=", serviceId)
          .where("last.environment_id", "=", environmentId),
      );
    return (await query.orderBy("deployments.number", "desc").limit(limit).execute()).map(toSeen);
  },
  async open(serviceId, environmentId) {
    const rows = await db
      .selectFrom("deployments")
      .selectAll()
      .where("service_id", "=", serviceId)
      .where("environment_id", "=", environmentId)
      .where("status", "in", openStatuses)
      .orderBy("number")
      .execute();
    return rows.map(toDeployment);
  },
  async openBefore(at, statuses) {
    const rows = await db
      .selectFrom("deployments")
      .selectAll()
      .where("status", "in", statuses)
      .where("created_at", "<", at)
      .orderBy("id")
      .execute();
    return rows.map(toDeployment);
  },
  async halfDeployedBefore(at) {
    const rows = await db
      .selectFrom("service_environments")
      .innerJoin("deployments", "deployments.id", "service_environments.target_deployment_id")
      .selectAll("deployments")
      .where("status", "=", "deployed")
      .where("ended_at", "<", at)
      .where(sql<boolean>`active_deployment_id is distinct from target_deployment_id`)
      .orderBy("deployments.id")
      .execute();
    return rows.map(toDeployment);
  },
  async latest(serviceId, environmentId) {
    const row = await seenDeployments(db)
      .where("deployments.service_id", "=", serviceId)
      .where("deployments.environment_id", "=", environmentId)
      .orderBy("deployments.number", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && toSeen(row);
  },
  async lastOfSource(serviceId, environmentId) {
    const row = await db
      .selectFrom("deployments")
      .selectAll()
      .where("service_id", "=", serviceId)
      .where("environment_id", "=", environmentId)
      .where("trigger", "in", ownSource)
      .where("status", "not in", ["failed", "cancelled"])
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && toDeployment(row);
  },
  async latestIn(projectId, environmentId, serviceIds) {
    if (serviceIds.length === 0) return [];
    const rows = await seenDeployments(db)
      .distinctOn("deployments.service_id")
      .where("deployments.project_id", "=", projectId)
      .where("deployments.environment_id", "=", environmentId)
      .where("deployments.service_id", "in", serviceIds)
      .orderBy("deployments.service_id")
      .orderBy("deployments.number", "desc")
      .execute();
    return rows.map(toSeen);
  },
  async insertBuild(build) {
    await db
      .insertInto("builds")
      .values({
        id: build.id,
        workspace_id: build.workspaceId,
        project_id: build.projectId,
        service_id: build.serviceId,
        build_key: build.buildKey,
        created_at: build.createdAt,
      })
      .execute();
  },
  async hasImage(projectId, image) {
    const row = await db
      .selectFrom("builds")
      .select("id")
      .where("project_id", "=", projectId)
      .where("image", "=", image)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  },
  async imagesOf(serviceId) {
    const rows = await db
      .selectFrom("builds")
      .select("image")
      .distinct()
      .where("service_id", "=", serviceId)
      .where("image", "is not", null)
      .execute();
    return rows.flatMap(({ image }) => image ?? []);
  },
  async buildById(id) {
    const row = await db.selectFrom("builds").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toBuild(row);
  },
  async builtByKey(serviceId, buildKey) {
    const row = await db
      .selectFrom("builds")
      .selectAll()
      .where("service_id", "=", serviceId)
      .where("build_key", "=", buildKey)
      .where("image", "is not", null)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("collected_images")
              .select("collected_images.image")
              .whereRef("collected_images.image", "=", "builds.image"),
          ),
        ),
      )
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("deployments")
              .select("deployments.id")
              .whereRef("deployments.build_id", "=", "builds.id")
              .where("deployments.service_id", "=", serviceId)
              .where("deployments.status", "=", "failed"),
          ),
        ),
      )
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && toBuild(row);
  },
  async finishBuild(id, { image, imageDigest, sizeBytes, info, fileSettings, endedAt }) {
    await db
      .updateTable("builds")
      .set({
        image,
        image_digest: imageDigest,
        size_bytes: sizeBytes,
        info: json(info),
        file_settings: json(fileSettings),
        ended_at: endedAt,
      })
      .where("id", "=", id)
      .execute();
    // Given up earlier, and now it is there again.
    await db.deleteFrom("collected_images").where("image", "=", image).execute();
  },
});

const changed = (c: DeploymentChange) => ({
  ...(c.status === undefined ? {} : { status: c.status }),
  ...(c.reason === undefined ? {} : { reason: c.reason }),
  ...(c.commit === undefined ? {} : { commit: c.commit && json(c.commit) }),
  ...(c.buildId === undefined ? {} : { build_id: c.buildId }),
  ...(c.image === undefined ? {} : { image: c.image }),
  ...(c.imageDigest === undefined ? {} : { image_digest: c.imageDigest }),
  ...(c.config === undefined ? {} : { config: c.config && json(c.config) }),
  ...(c.stages === undefined ? {} : { stages: json(c.stages) }),
  ...(c.deployingAt === undefined ? {} : { deploying_at: c.deployingAt }),
  ...(c.endedAt === undefined ? {} : { ended_at: c.endedAt }),
});

const seenDeployments = (db: Db) =>
  db
    .selectFrom("deployments")
    .innerJoin("services", "services.id", "deployments.service_id")
    .innerJoin("environments", "environments.id", "deployments.environment_id")
    .innerJoin("service_environments", (on) =>
      on
        .onRef("service_environments.service_id", "=", "deployments.service_id")
        .onRef("service_environments.environment_id", "=", "deployments.environment_id"),
    )
    .leftJoin("hosts", (on) =>
      on
        .onRef("hosts.service_id", "=", "deployments.service_id")
        .onRef("hosts.environment_id", "=", "deployments.environment_id"),
    )
    .leftJoin("deployments as target", "target.id", "service_environments.target_deployment_id")
    .selectAll("deployments")
    .select([
      "services.name as service_name",
      "environments.name as environment_name",
      "hosts.hostname",
      sql<boolean>`coalesce(deployments.id = case when target.status = 'deployed' then target.id
        else service_environments.active_deployment_id end, false)`.as("is_active"),
    ]);

type Row = {
  id: string;
  workspace_id: string;
  project_id: string;
  service_id: string;
  environment_id: string;
  number: number;
  status: string;
  reason: string | null;
  trigger: string;
  source: unknown;
  commit: unknown;
  build_id: string | null;
  image: string | null;
  image_digest: string | null;
  config: unknown;
  variables_key_id: string;
  variables_ciphertext: Buffer;
  variable_digests: unknown;
  no_cache: boolean;
  stages: unknown;
  rollback_of: string | null;
  created_by: string;
  created_at: Date;
  deploying_at: Date | null;
  ended_at: Date | null;
  revision: number;
};
export const toDeployment = (row: Row): Deployment => ({
  id: row.id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  serviceId: row.service_id,
  environmentId: row.environment_id,
  number: row.number,
  status: row.status as DeploymentStatus,
  reason: row.reason,
  trigger: row.trigger as Trigger,
  source: row.source as SourceRef | null,
  commit: row.commit as Commit | null,
  buildId: row.build_id,
  image: row.image,
  imageDigest: row.image_digest,
  config: row.config as RunConfig | null,
  variables: { keyId: row.variables_key_id, ciphertext: row.variables_ciphertext },
  variableDigests: row.variable_digests as Record<string, string>,
  noCache: row.no_cache,
  stages: row.stages as Stage[],
  rollbackOf: row.rollback_of,
  createdBy: row.created_by,
  createdAt: row.created_at,
  deployingAt: row.deploying_at,
  endedAt: row.ended_at,
  revision: row.revision,
});

const toSeen = (
  row: Row & { service_name: string; environment_name: string; hostname: string | null; is_active: boolean },
): SeenDeployment => ({
  ...toDeployment(row),
  service: row.service_name,
  environment: row.environment_name,
  hostname: row.hostname,
  isActive: row.is_active,
});

type BuildRow = {
  id: string;
  workspace_id: string;
  project_id: string;
  service_id: string;
  build_key: string;
  image: string | null;
  image_digest: string | null;
  size_bytes: number | null;
  info: unknown;
  file_settings: unknown;
  created_at: Date;
  ended_at: Date | null;
};
const toBuild = (row: BuildRow): Build => ({
  id: row.id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  serviceId: row.service_id,
  buildKey: row.build_key,
  image: row.image,
  imageDigest: row.image_digest,
  sizeBytes: row.size_bytes,
  info: row.info as Record<string, unknown>,
  fileSettings: row.file_settings as Partial<ServiceSettings>,
  createdAt: row.created_at,
  endedAt: row.ended_at,
});
