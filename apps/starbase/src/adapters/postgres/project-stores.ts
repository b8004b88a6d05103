import type { ProjectRole, WorkspaceRole } from "@starform/contract/permissions";
import type { Plan } from "@starform/contract/plans";
import { sql } from "kysely";
import type { EnvironmentStore, Member, ProjectStore, WorkspaceStore } from "../../core/projects/ports.ts";
import { heldProjects, toEnvironment, toHeld, toWorkspace } from "./access-store.ts";
import { announcer } from "./changes.ts";
import { onConstraint } from "./constraint.ts";
import type { Db } from "./database.ts";

export const postgresWorkspaceStore = (db: Db): WorkspaceStore => ({
  async insert({ id, slug, name, plan, createdAt }) {
    await db
      .insertInto("workspaces")
      .values({ id, slug, name, plan, created_at: createdAt })
      .execute()
      .catch(
        onConstraint(
          "workspaces_slug_key",
          "name_taken",
          `a workspace named ${slug} already exists: choose another name`,
        ),
      );
  },
  async bySlug(slug) {
    const row = await db.selectFrom("workspaces").selectAll().where("slug", "=", slug).executeTakeFirst();
    return row && toWorkspace(row);
  },
  async idsOfPlan(plan, { limit, after }) {
    let query = db.selectFrom("workspaces").select("id").where("plan", "=", plan);
    if (after) query = query.where("id", ">", after);
    return (await query.orderBy("id").limit(limit).execute()).map(({ id }) => id);
  },
  async hold(workspaceId) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`starform.workspace.${workspaceId}`}, 0))`.execute(
      db,
    );
  },
  async plan(workspaceId) {
    const row = await db
      .selectFrom("workspaces")
      .select("plan")
      .where("id", "=", workspaceId)
      .executeTakeFirstOrThrow();
    return row.plan as Plan;
  },
  async putMember({ workspaceId, userId, role, createdAt }) {
    await db
      .insertInto("workspace_members")
      .values({ workspace_id: workspaceId, user_id: userId, role, created_at: createdAt })
      .onConflict((on) => on.columns(["workspace_id", "user_id"]).doUpdateSet({ role }))
      .execute();
  },
  async members(workspaceId) {
    const rows = await db
      .selectFrom("workspace_members")
      .innerJoin("users", "users.id", "workspace_members.user_id")
      .select(["user_id", "email", "name", "role", "workspace_members.created_at"])
      .where("workspace_id", "=", workspaceId)
      .orderBy("email")
      .execute();
    return rows.map(toMember<WorkspaceRole>);
  },
  async memberPage(workspaceId, { limit, after }) {
    let query = db
      .selectFrom("workspace_members")
      .innerJoin("users", "users.id", "workspace_members.user_id")
      .select(["user_id", "email", "name", "role", "workspace_members.created_at"])
      .where("workspace_id", "=", workspaceId);
    if (after) query = query.where("email", ">", emailOf(db, after));
    return (await query.orderBy("email").limit(limit).execute()).map(toMember<WorkspaceRole>);
  },
  async removeMember(workspaceId, userId) {
    const { numDeletedRows } = await db
      .deleteFrom("workspace_members")
      .where("workspace_id", "=", workspaceId)
      .where("user_id", "=", userId)
      .executeTakeFirst();
    await db
      .deleteFrom("project_members")
      .where("user_id", "=", userId)
      .where(
        "project_id",
        "in",
        db.selectFrom("projects").select("id").where("workspace_id", "=", workspaceId),
      )
      .execute();
    await db
      .deleteFrom("api_tokens")
      .where("user_id", "=", userId)
      .where("workspace_id", "=", workspaceId)
      .execute();
    return numDeletedRows > 0n;
  },
});

/** A person who is no member any more still has an e-mail, so the page after theirs is found. */
const emailOf = (db: Db, userId: string) =>
  db.selectFrom("users as last").select("last.email").where("last.id", "=", userId);

type MemberRow = { user_id: string; email: string; name: string; role: string; created_at: Date };
const toMember = <Role extends string>(row: MemberRow): Member<Role> => ({
  userId: row.user_id,
  email: row.email,
  name: row.name,
  role: row.role as Role,
  createdAt: row.created_at,
});

export const postgresProjectStore = (db: Db): ProjectStore => ({
  async insert({ id, workspaceId, clusterId, slug, name, namespace, createdAt }) {
    await db
      .insertInto("projects")
      .values({
        id,
        workspace_id: workspaceId,
        cluster_id: clusterId,
        slug,
        name,
        namespace,
        created_at: createdAt,
      })
      .execute()
      .catch(
        onConstraint(
          "projects_workspace_slug_key",
          "name_taken",
          `the workspace already has a project named ${slug}: choose another name, or link to it with \`starform link -p ${slug}\``,
        ),
      )
      .catch(
        onConstraint(
          "projects_cluster_namespace_key",
          "conflict",
          `the namespace ${namespace} is taken on this cluster: try again`,
        ),
      );
  },
  async page(userId, { workspaceId, projectId }, { limit, before }) {
    let query = heldProjects(db, userId);
    if (workspaceId) query = query.where("projects.workspace_id", "=", workspaceId);
    if (projectId) query = query.where("projects.id", "=", projectId);
    if (before) query = query.where("projects.id", "<", before);
    query = query.where((eb) =>
      eb.or([
        eb("workspace_members.role", "in", ["owner", "admin"]),
        eb("project_members.role", "is not", null),
      ]),
    );
    query = query.where("workspace_members.role", "<>", "billing");
    return (await query.orderBy("projects.id", "desc").limit(limit).execute()).map(toHeld);
  },
  async namespaceIsTaken(clusterId, namespace) {
    const row = await db
      .selectFrom("projects")
      .select("id")
      .where("cluster_id", "=", clusterId)
      .where("namespace", "=", namespace)
      .executeTakeFirst();
    return row !== undefined;
  },
  async remove(workspaceId, projectId) {
    await db
      .deleteFrom("service_var_groups")
      .where(
        "var_group_id",
        "in",
        db.selectFrom("var_groups").select("id").where("project_id", "=", projectId),
      )
      .execute();
    await db
      .deleteFrom("projects")
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", projectId)
      .execute();
  },
  async hold(projectId) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`starform.project.${projectId}`}, 0))`.execute(
      db,
    );
  },
  async touch(projectId) {
    await db
      .updateTable("projects")
      .set((eb) => ({ revision: eb("revision", "+", 1) }))
      .where("id", "=", projectId)
      .execute();
    await announcer(db).announce({ kind: "project", projectId });
  },
  async revision(projectId) {
    const row = await db
      .selectFrom("projects")
      .select("revision")
      .where("id", "=", projectId)
      .executeTakeFirst();
    return row?.revision ?? 0;
  },
  async putMember({ projectId, userId, role, createdAt }) {
    await db
      .insertInto("project_members")
      .values({ project_id: projectId, user_id: userId, role, created_at: createdAt })
      .onConflict((on) => on.columns(["project_id", "user_id"]).doUpdateSet({ role }))
      .execute();
  },
  async memberPage(projectId, { limit, after }) {
    let query = db
      .selectFrom("project_members")
      .innerJoin("users", "users.id", "project_members.user_id")
      .select(["user_id", "email", "name", "role", "project_members.created_at"])
      .where("project_id", "=", projectId);
    if (after) query = query.where("email", ">", emailOf(db, after));
    return (await query.orderBy("email").limit(limit).execute()).map(toMember<ProjectRole>);
  },
  async removeMember(projectId, userId) {
    const { numDeletedRows } = await db
      .deleteFrom("project_members")
      .where("project_id", "=", projectId)
      .where("user_id", "=", userId)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  },
});

export const postgresEnvironmentStore = (db: Db): EnvironmentStore => ({
  async insert({ id, projectId, name, isProtected, isEphemeral, createdAt }) {
    await db
      .insertInto("environments")
      .values({
        id,
        project_id: projectId,
        name,
        is_protected: isProtected,
        is_ephemeral: isEphemeral,
        created_at: createdAt,
      })
      .execute()
      .catch(
        onConstraint(
          "environments_project_name_key",
          "name_taken",
          `the project already has an environment named ${name}`,
        ),
      );
  },
  async ofProject(projectId) {
    const rows = await db
      .selectFrom("environments")
      .selectAll()
      .where("project_id", "=", projectId)
      .orderBy("id")
      .execute();
    return rows.map(toEnvironment);
  },
  async page(projectId, { limit, after }) {
    let query = db.selectFrom("environments").selectAll().where("project_id", "=", projectId);
    if (after) query = query.where("id", ">", after);
    return (await query.orderBy("id").limit(limit).execute()).map(toEnvironment);
  },
  async setProtected(projectId, id, isProtected) {
    await db
      .updateTable("environments")
      .set({ is_protected: isProtected })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .execute();
  },
  async remove(projectId, id) {
    await db.deleteFrom("environments").where("project_id", "=", projectId).where("id", "=", id).execute();
  },
});
