import type { CronRunReport, DesiredService, Snapshot } from "@starform/contract/clusters";
import { sql } from "kysely";
import type { Cluster, ClusterStore, MeteredPlace } from "../../core/clusters/ports.ts";
import type { ProjectCredential } from "../../core/images/ports.ts";
import type { DesiredRow, DesiredStateStore } from "../../core/desired-state/ports.ts";
import { toProject } from "./access-store.ts";
import { announcer } from "./changes.ts";
import { toCredential } from "./credential-store.ts";
import type { Db } from "./database.ts";
import { toDeployment } from "./deployment-store.ts";
import { json } from "./json.ts";
import { placedServices, toPlaced } from "./service-store.ts";

export const postgresClusterStore = (db: Db): ClusterStore => ({
  async ensure({ id, regionId, runtime, tokenHash, createdAt }) {
    await db
      .insertInto("regions")
      .values({ id: regionId, name: regionId, cloud: "local" })
      .onConflict((on) => on.column("id").doNothing())
      .execute();
    await db
      .insertInto("clusters")
      .values({ id, region_id: regionId, runtime, token_hash: tokenHash, created_at: createdAt })
      .onConflict((on) => on.column("id").doUpdateSet({ token_hash: tokenHash, runtime }))
      .execute();
  },
  async rooms() {
    const rows = await db
      .selectFrom("clusters")
      .select(["id", "capacity", "last_seen_at", "created_at"])
      .execute();
    return rows.map(({ id, capacity, last_seen_at, created_at }) => {
      const told = capacity as { current_pod_count?: number; soft_limit?: number };
      return {
        id,
        pods: told.current_pod_count ?? null,
        podsSoftLimit: told.soft_limit ?? null,
        lastSeenAt: last_seen_at,
        createdAt: created_at,
      };
    });
  },
  async byId(id) {
    const row = await db.selectFrom("clusters").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toCluster(row);
  },
  async byToken(tokenHash) {
    const row = await db
      .selectFrom("clusters")
      .selectAll()
      .where("token_hash", "=", tokenHash)
      .executeTakeFirst();
    return row && toCluster(row);
  },
  async bumpVersion(id, removed = []) {
    const { desired_version: version } = await db
      .with("forgotten", (query) =>
        query.deleteFrom("removed_places").where("cluster_id", "=", id).where("is_seen", "=", true),
      )
      .updateTable("clusters")
      .set((eb) => ({ desired_version: eb("desired_version", "+", 1) }))
      .where("id", "=", id)
      .returning("desired_version")
      .executeTakeFirstOrThrow();
    if (removed.length > 0)
      await db
        .insertInto("removed_places")
        .values(
          removed.map((service) => ({
            cluster_id: id,
            project_id: service.project_id,
            service_id: service.service_id,
            environment: service.environment,
            service: json(service),
            version,
          })),
        )
        .onConflict((on) =>
          on.constraint("removed_places_pkey").doUpdateSet((eb) => ({
            service: eb.ref("excluded.service"),
            version: eb.ref("excluded.version"),
            is_seen: false,
          })),
        )
        .execute();
    await announcer(db).announce({ kind: "desired_state", clusterId: id });
  },
  async setRegistration(id, registration, runtime, at) {
    await db
      .updateTable("clusters")
      .set({ registration: json(registration), runtime, last_seen_at: at })
      .where("id", "=", id)
      .execute();
  },
  async setCapacity(id, capacity, at) {
    await db
      .updateTable("clusters")
      .set({ capacity: json(capacity), last_seen_at: at })
      .where("id", "=", id)
      .execute();
  },
  async meteredPlaces(clusterId, places) {
    if (places.length === 0) return [];
    const column = (name: keyof MeteredPlace) => places.map((place) => place[name]);
    const { rows } = await sql<{ at: number }>`
      select asked.at::int as at
      from unnest(${column("workspace_id")}::uuid[], ${column("project_id")}::uuid[], ${column("service_id")}::uuid[],
                  ${column("environment")}::text[])
        with ordinality as asked(workspace_id, project_id, service_id, environment, at)
      join projects on projects.id = asked.project_id
        and projects.workspace_id = asked.workspace_id and projects.cluster_id = ${clusterId}
      where exists (
        select from services
        join service_environments on service_environments.service_id = services.id
        join environments on environments.id = service_environments.environment_id
        where services.id = asked.service_id and services.project_id = asked.project_id
          and environments.name = asked.environment
      ) or exists (
        select from usage_totals as t
        where t.project_id = asked.project_id and t.environment = asked.environment
          and t.service_id = asked.service_id and t.workspace_id = asked.workspace_id
      )`.execute(db);
    return rows.map(({ at }) => places[at - 1]!);
  },
  async takeSnapshots(clusterId, snapshots, at) {
    if (snapshots.length === 0) return 0;
    const column = (name: keyof Snapshot) => snapshots.map((snapshot) => snapshot[name]);
    // One statement whatever the batch: after an outage there are as many batches as minutes. Each snapshot stands for
    // one. The order of the rows is the same for everybody, so that no two batches wait for each other.
    const { rows } = await sql<{ count: number }>`
      with told as (
        select distinct on (snapshot_id) *
        from unnest(${column("snapshot_id")}::text[], ${column("workspace_id")}::uuid[], ${column("project_id")}::uuid[],
                    ${column("environment")}::text[], ${column("service_id")}::uuid[],
                    ${snapshots.map(({ snapshot_timestamp }) => snapshot_timestamp.slice(0, 10))}::date[],
                    ${column("cpu_request_millis")}::numeric[], ${column("memory_request_bytes")}::numeric[])
          as told(snapshot_id, workspace_id, project_id, environment, service_id, day, cpu_millis, memory_bytes)
        order by snapshot_id
      ), fresh as (
        insert into usage_snapshots (snapshot_id, cluster_id, received_at)
        select snapshot_id, ${clusterId}::uuid, ${at}::timestamptz from told
        on conflict (snapshot_id) do nothing
        returning snapshot_id
      ), counted as (
        insert into usage_totals (workspace_id, project_id, environment, service_id, day, pod_minutes, cpu_millis_minutes, memory_byte_minutes)
        select workspace_id, project_id, environment, service_id, day, count(*), sum(cpu_millis), sum(memory_bytes)
        from told join fresh using (snapshot_id)
        group by workspace_id, project_id, environment, service_id, day
        order by project_id, environment, service_id, day
        on conflict (project_id, environment, service_id, day) do update set
          pod_minutes = usage_totals.pod_minutes + excluded.pod_minutes,
          cpu_millis_minutes = usage_totals.cpu_millis_minutes + excluded.cpu_millis_minutes,
          memory_byte_minutes = usage_totals.memory_byte_minutes + excluded.memory_byte_minutes
      )
      select count(*)::int as count from fresh`.execute(db);
    return rows[0]?.count ?? 0;
  },
  async takeCronRun({ serviceId, environmentId }, run) {
    const values = {
      scheduled_for: run.scheduled_for,
      started_at: run.started_at,
      ended_at: run.ended_at,
      outcome: run.outcome,
      reason: run.reason,
    };
    await db
      .insertInto("cron_runs")
      .values({ run_id: run.run_id, service_id: serviceId, environment_id: environmentId, ...values })
      .onConflict((on) =>
        on
          .column("run_id")
          .doUpdateSet(values)
          .where("cron_runs.outcome", "in", ["running", "unknown"])
          .where("cron_runs.service_id", "=", serviceId),
      )
      .execute();
  },
  async endOtherRuns({ serviceId, environmentId }, runIds, reason) {
    await db
      .updateTable("cron_runs")
      .set({ outcome: "unknown", reason })
      .where("service_id", "=", serviceId)
      .where("environment_id", "=", environmentId)
      .where("outcome", "=", "running")
      .where(sql<boolean>`run_id <> all(${runIds}::text[])`)
      .execute();
  },
  async cronRuns(serviceId, environmentId, { limit, before }) {
    let query = db
      .selectFrom("cron_runs")
      .selectAll()
      .where("service_id", "=", serviceId)
      .where("environment_id", "=", environmentId);
    if (before)
      query = query.where(
        sql<boolean>`(scheduled_for, run_id) < (select last.scheduled_for, last.run_id from cron_runs as last
          where last.run_id = ${before} and last.service_id = ${serviceId})`,
      );
    const rows = await query
      .orderBy("scheduled_for", "desc")
      .orderBy("run_id", "desc")
      .limit(limit)
      .execute();
    return rows.map((row): CronRunReport => ({
      run_id: row.run_id,
      service_id: row.service_id,
      environment: "",
      scheduled_for: row.scheduled_for.toISOString(),
      started_at: row.started_at?.toISOString() ?? null,
      ended_at: row.ended_at?.toISOString() ?? null,
      outcome: row.outcome as CronRunReport["outcome"],
      reason: row.reason,
    }));
  },
  async pruneCronRuns({ before, kept, max }) {
    const { numAffectedRows } = await sql`
      delete from cron_runs where run_id in (
        select old.run_id
        from service_environments as place
        cross join lateral (
          select scheduled_for, run_id from cron_runs
          where service_id = place.service_id and environment_id = place.environment_id
          order by scheduled_for desc, run_id desc
          offset ${kept - 1} limit 1
        ) as last_kept
        join cron_runs as old on old.service_id = place.service_id
          and old.environment_id = place.environment_id
          and old.scheduled_for < ${before}
          and (old.scheduled_for, old.run_id) < (last_kept.scheduled_for, last_kept.run_id)
        where old.outcome <> 'running'
        limit ${max}
      )`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
  async pruneSnapshots(before) {
    await db.deleteFrom("usage_snapshots").where("received_at", "<", before).execute();
  },
});

const toCluster = (row: {
  id: string;
  region_id: string;
  runtime: string;
  lb_size_units: number;
  desired_version: number;
}): Cluster => ({
  id: row.id,
  regionId: row.region_id,
  runtime: row.runtime,
  lbSizeUnits: row.lb_size_units,
  desiredVersion: row.desired_version,
});

export const postgresDesiredStateStore = (db: Db): DesiredStateStore => ({
  async read(clusterId) {
    const cluster = await db
      .selectFrom("clusters")
      .selectAll()
      .where("id", "=", clusterId)
      .executeTakeFirst();
    if (!cluster) return undefined;
    const rows = await desiredRows(db, { clusterId });
    const removed = await db
      .selectFrom("removed_places")
      .select("service")
      .where("cluster_id", "=", clusterId)
      .orderBy("service_id")
      .orderBy("environment")
      .execute();
    return {
      version: cluster.desired_version,
      lbSizeUnits: cluster.lb_size_units,
      runtime: cluster.runtime,
      rows,
      removed: removed.map(({ service }) => service as DesiredService),
    };
  },
  rowsOf: (what) => desiredRows(db, what),
  async removalsSeen(clusterId, version) {
    await db
      .updateTable("removed_places")
      .set({ is_seen: true })
      .where("cluster_id", "=", clusterId)
      .where("version", "<=", version)
      .where("is_seen", "=", false)
      .execute();
  },
  async version(clusterId) {
    const row = await db
      .selectFrom("clusters")
      .select("desired_version")
      .where("id", "=", clusterId)
      .executeTakeFirst();
    return row?.desired_version;
  },
  async clusterOf(projectId) {
    const row = await db
      .selectFrom("projects")
      .select("cluster_id")
      .where("id", "=", projectId)
      .executeTakeFirst();
    return row?.cluster_id;
  },
  async projectOfService(serviceId) {
    const row = await db
      .selectFrom("services")
      .innerJoin("projects", "projects.id", "services.project_id")
      .innerJoin("workspaces", "workspaces.id", "projects.workspace_id")
      .selectAll("projects")
      .select("workspaces.slug as workspace_slug")
      .where("services.id", "=", serviceId)
      .executeTakeFirst();
    return row && toProject(row);
  },
  async placeOn(clusterId, serviceId, environment) {
    const row = await placedServices(db)
      .innerJoin("projects", "projects.id", "services.project_id")
      .where("projects.cluster_id", "=", clusterId)
      .where("services.id", "=", serviceId)
      .where("environments.name", "=", environment)
      .forUpdate("service_environments")
      .executeTakeFirst();
    return row && { projectId: row.project_id, place: toPlaced(row) };
  },
});

/** What desired state names on a cluster, in a project, of one service or in one environment; in a fixed order. */
async function desiredRows(
  db: Db,
  of: {
    clusterId?: string;
    projectId?: string;
    serviceId?: string | undefined;
    environmentId?: string | undefined;
  },
): Promise<DesiredRow[]> {
  let query = placedServices(db)
    .innerJoin("projects", "projects.id", "services.project_id")
    .select(["projects.slug as project_slug", "projects.namespace", "environments.is_ephemeral"])
    .where("service_environments.target_deployment_id", "is not", null);
  if (of.clusterId) query = query.where("projects.cluster_id", "=", of.clusterId);
  if (of.projectId) query = query.where("projects.id", "=", of.projectId);
  if (of.serviceId) query = query.where("services.id", "=", of.serviceId);
  if (of.environmentId) query = query.where("service_environments.environment_id", "=", of.environmentId);
  const places = await query.orderBy("services.id").orderBy("service_environments.environment_id").execute();
  const ids = places.flatMap((place) => place.target_deployment_id ?? []);
  const deployments =
    ids.length > 0 ? await db.selectFrom("deployments").selectAll().where("id", "in", ids).execute() : [];
  const traits = await imageTraits(
    db,
    deployments.flatMap(({ build_id }) => build_id ?? []),
  );
  const signIns = await registrySignIns(db, [...new Set(places.map((place) => place.project_id))]);
  const byId = new Map(deployments.map((row) => [row.id, toDeployment(row)]));
  return places.flatMap((row): DesiredRow[] => {
    const deployment = byId.get(row.target_deployment_id ?? "");
    return deployment
      ? [
          {
            place: toPlaced(row),
            projectSlug: row.project_slug,
            namespace: row.namespace,
            isEphemeral: row.is_ephemeral,
            deployment,
            imageTraits: traits.get(deployment.buildId ?? "") ?? {},
            signIns: signIns.get(row.project_id) ?? [],
          },
        ]
      : [];
  });
}

async function registrySignIns(
  db: Db,
  projectIds: readonly string[],
): Promise<ReadonlyMap<string, ProjectCredential[]>> {
  if (projectIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("project_credentials")
    .selectAll()
    .where("project_id", "in", projectIds)
    .where("kind", "=", "registry")
    .orderBy("host")
    .execute();
  return Map.groupBy(rows.map(toCredential), ({ projectId }) => projectId);
}

async function imageTraits(
  db: Db,
  buildIds: readonly string[],
): Promise<ReadonlyMap<string, DesiredRow["imageTraits"]>> {
  if (buildIds.length === 0) return new Map();
  const rows = await db.selectFrom("builds").select(["id", "info"]).where("id", "in", buildIds).execute();
  return new Map(rows.map(({ id, info }) => [id, info as DesiredRow["imageTraits"]]));
}
