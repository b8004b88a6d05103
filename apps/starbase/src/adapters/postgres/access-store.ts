import type { ProjectRole, WorkspaceRole } from "@starform/contract/permissions";
import type { Plan } from "@starform/contract/plans";
import { isUuid } from "@starform/std/ids";
import type { AccessStore, Environment, HeldProject, Project, Workspace } from "../../core/access/ports.ts";
import type { Db } from "./database.ts";

export const postgresAccessStore = (db: Db): AccessStore => ({
  async workspacesOf(userId) {
    const rows = await db
      .selectFrom("workspace_members")
      .innerJoin("workspaces", "workspaces.id", "workspace_members.workspace_id")
      .select(["workspaces.id", "slug", "name", "plan", "workspaces.created_at", "role"])
      .where("user_id", "=", userId)
      .orderBy("workspaces.id")
      .execute();
    return rows.map((row) => ({ workspace: toWorkspace(row), role: row.role as WorkspaceRole }));
  },
  async workspacePage(userId, { workspaceId }, { limit, after }) {
    let query = db
      .selectFrom("workspace_members")
      .innerJoin("workspaces", "workspaces.id", "workspace_members.workspace_id")
      .select(["workspaces.id", "slug", "name", "plan", "workspaces.created_at", "role"])
      .where("user_id", "=", userId);
    if (workspaceId) query = query.where("workspaces.id", "=", workspaceId);
    if (after) query = query.where("workspaces.id", ">", after);
    const rows = await query.orderBy("workspaces.id").limit(limit).execute();
    return rows.map((row) => ({ workspace: toWorkspace(row), role: row.role as WorkspaceRole }));
  },
  async projectsByRef(userId, { workspace, project }) {
    let query = heldProjects(db, userId);
    query = isUuid(project)
      ? query.where("projects.id", "=", project)
      : query.where("projects.slug", "=", project);
    if (workspace) query = query.where("workspaces.slug", "=", workspace);
    return (await query.execute()).map(toHeld);
  },
  async projectById(userId, projectId) {
    const row = await heldProjects(db, userId).where("projects.id", "=", projectId).executeTakeFirst();
    return row && toHeld(row);
  },
  async environment(projectId, name) {
    let query = db.selectFrom("environments").selectAll().where("project_id", "=", projectId);
    query = isUuid(name) ? query.where("id", "=", name) : query.where("name", "=", name);
    const row = await query.executeTakeFirst();
    return row && toEnvironment(row);
  },
});

/** The projects of the user's workspaces, with what they hold in each. */
export const heldProjects = (db: Db, userId: string) =>
  db
    .selectFrom("projects")
    .innerJoin("workspaces", "workspaces.id", "projects.workspace_id")
    .innerJoin("workspace_members", (on) =>
      on
        .onRef("workspace_members.workspace_id", "=", "projects.workspace_id")
        .on("workspace_members.user_id", "=", userId),
    )
    .leftJoin("project_members", (on) =>
      on.onRef("project_members.project_id", "=", "projects.id").on("project_members.user_id", "=", userId),
    )
    .select([
      "projects.id",
      "projects.workspace_id",
      "workspaces.slug as workspace_slug",
      "projects.slug",
      "projects.name",
      "projects.cluster_id",
      "projects.namespace",
      "projects.created_at",
      "workspace_members.role as workspace_role",
      "project_members.role as project_role",
    ]);

type HeldRow = Awaited<ReturnType<ReturnType<typeof heldProjects>["execute"]>>[number];
export const toHeld = (row: HeldRow): HeldProject => ({
  project: toProject(row),
  workspaceRole: row.workspace_role as WorkspaceRole,
  projectRole: (row.project_role ?? undefined) as ProjectRole | undefined,
});

type ProjectRow = Omit<HeldRow, "workspace_role" | "project_role">;
export const toProject = (row: ProjectRow): Project => ({
  id: row.id,
  workspaceId: row.workspace_id,
  workspaceSlug: row.workspace_slug,
  slug: row.slug,
  name: row.name,
  clusterId: row.cluster_id,
  namespace: row.namespace,
  createdAt: row.created_at,
});

export const toWorkspace = (row: {
  id: string;
  slug: string;
  name: string;
  plan: string;
  created_at: Date;
}): Workspace => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  plan: row.plan as Plan,
  createdAt: row.created_at,
});

type EnvironmentRow = {
  id: string;
  project_id: string;
  name: string;
  is_protected: boolean;
  is_ephemeral: boolean;
  created_at: Date;
};
export const toEnvironment = (row: EnvironmentRow): Environment => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  isProtected: row.is_protected,
  isEphemeral: row.is_ephemeral,
  createdAt: row.created_at,
});
