import * as contract from "@starform/contract/projects";
import { getProjectStatus } from "@starform/contract/logs";
import * as workspaces from "@starform/contract/workspaces";
import type { FastifyInstance } from "fastify";
import type { Authorize } from "../core/access/authorize.ts";
import { projectRoleOf, type ProjectRole, type WorkspaceRole } from "@starform/contract/permissions";
import type { Environment, Workspace } from "../core/access/ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Member } from "../core/projects/ports.ts";
import type { NewProject } from "../core/projects/create-project.ts";
import type { ProjectAccess } from "../core/access/authorize.ts";
import type { Stores } from "../core/stores.ts";
import type { Changes } from "../ports/changes.ts";
import { cursorIn, cursorOn, paged } from "./pages.ts";
import { presentAudit, presentEnvironment, presentMember, presentProject } from "./present.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type ProjectDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  changes: Changes;
  createWorkspace: (actor: Actor, input: { slug: string; name?: string | undefined }) => Promise<Workspace>;
  putMember: (
    actor: Actor,
    workspace: string,
    input: { email: string; role: WorkspaceRole; name?: string | undefined },
  ) => Promise<Member<WorkspaceRole>>;
  deleteMember: (actor: Actor, workspace: string, email: string) => Promise<void>;
  createProject: (actor: Actor, input: NewProject) => Promise<ProjectAccess>;
  deleteProject: (actor: Actor, project: string, confirm: string) => Promise<void>;
  putProjectMember: (
    actor: Actor,
    project: string,
    email: string,
    role: ProjectRole,
  ) => Promise<Member<ProjectRole>>;
  deleteProjectMember: (actor: Actor, project: string, email: string) => Promise<void>;
  createEnvironment: (
    actor: Actor,
    project: string,
    input: { name: string; from?: string | undefined; isProtected: boolean; isEphemeral: boolean },
  ) => Promise<Environment>;
  updateEnvironment: (
    actor: Actor,
    project: string,
    environment: string,
    isProtected: boolean,
  ) => Promise<Environment>;
  deleteEnvironment: (actor: Actor, project: string, environment: string) => Promise<void>;
};

export function workspaceRoutes(app: FastifyInstance, deps: ProjectDeps): void {
  const present = (workspace: Workspace, role: WorkspaceRole) => ({
    ...workspace,
    role,
    createdAt: workspace.createdAt.toISOString(),
  });
  serve(app, deps, workspaces.listWorkspaces, async ({ actor, query }) => {
    const { userId, workspaceId } = actor;
    const page = { limit: query.limit + 1, ...cursorOn(query) };
    const held = await deps.stores.access.workspacePage(userId, { workspaceId }, page);
    return paged(
      held,
      query.limit,
      ({ workspace, role }) => present(workspace, role),
      ({ workspace }) => workspace.id,
    );
  });
  serve(app, deps, workspaces.createWorkspace, async ({ actor, body }, deps) =>
    present(await deps.createWorkspace(actor, body), "owner"),
  );
  serve(app, deps, workspaces.listMembers, async ({ actor, params, query }) => {
    const { workspace } = await deps.authorize.workspace(actor, params.workspace, "members.read");
    const page = { limit: query.limit + 1, ...cursorOn(query) };
    const members = await deps.stores.workspaces.memberPage(workspace.id, page);
    return paged(members, query.limit, presentMember, ({ userId }) => userId);
  });
  serve(app, deps, workspaces.putMember, async ({ actor, params, body }) =>
    presentMember(await deps.putMember(actor, params.workspace, { email: params.email, ...body })),
  );
  serve(app, deps, workspaces.deleteMember, ({ actor, params }) =>
    deps.deleteMember(actor, params.workspace, params.email),
  );
  serve(app, deps, workspaces.listAudit, async ({ actor, params, query }) => {
    const { workspace } = await deps.authorize.workspace(actor, params.workspace, "audit.read");
    const project = query.project
      ? await deps.authorize.project(actor, query.project, "project.read")
      : undefined;
    const entries = await deps.stores.audit.page(
      workspace.id,
      project ? { projectId: project.project.id } : {},
      { limit: query.limit + 1, ...cursorIn(query) },
    );
    return paged(entries, query.limit, presentAudit, (entry) => entry.id);
  });
}

export function projectRoutes(app: FastifyInstance, deps: ProjectDeps): void {
  serve(app, deps, contract.listProjects, async ({ actor, query }) => {
    const workspaceId = query.workspace
      ? (await deps.authorize.workspace(actor, query.workspace, "workspace.read")).workspace.id
      : actor.workspaceId;
    const rows = await deps.stores.projects.page(
      actor.userId,
      { ...(workspaceId ? { workspaceId } : {}), ...(actor.projectId ? { projectId: actor.projectId } : {}) },
      { limit: query.limit + 1, ...cursorIn(query) },
    );
    return paged(
      rows,
      query.limit,
      ({ project, workspaceRole, projectRole }) =>
        presentProject({ project, role: projectRoleOf(workspaceRole, projectRole) ?? "viewer" }),
      ({ project }) => project.id,
    );
  });
  serve(app, deps, contract.createProject, async ({ actor, body }, deps) =>
    presentProject(await deps.createProject(actor, body)),
  );
  serve(app, deps, contract.getProject, async ({ actor, params }) =>
    presentProject(await deps.authorize.project(actor, params.project, "project.read")),
  );
  serve(app, deps, contract.deleteProject, ({ actor, params, query }) =>
    deps.deleteProject(actor, params.project, query.confirm),
  );
  serve(app, deps, contract.listProjectMembers, async ({ actor, params, query }) => {
    const { project } = await deps.authorize.project(actor, params.project, "project.read");
    const page = { limit: query.limit + 1, ...cursorOn(query) };
    const members = await deps.stores.projects.memberPage(project.id, page);
    return paged(members, query.limit, presentMember, ({ userId }) => userId);
  });
  serve(app, deps, contract.putProjectMember, async ({ actor, params, body }) =>
    presentMember(await deps.putProjectMember(actor, params.project, params.email, body.role)),
  );
  serve(app, deps, contract.deleteProjectMember, ({ actor, params }) =>
    deps.deleteProjectMember(actor, params.project, params.email),
  );
  serve(app, deps, getProjectStatus, async ({ actor, params, query, request, signal }) => {
    const { project } = await deps.authorize.project(actor, params.project, "project.read");
    const revision = () => deps.stores.projects.revision(project.id);
    if (query.wait > 0 && query.seen !== undefined)
      await deps.whileAllowed(
        {
          authorization: request.headers.authorization,
          signal,
          check: (now) => deps.authorize.project(now, params.project, "project.read"),
        },
        (allowed) =>
          deps.changes.waitFor(
            { kind: "project", projectId: project.id },
            {
              ms: query.wait * 1_000,
              signal: allowed,
              look: async () => (await revision()) !== query.seen,
            },
          ),
      );
    return { revision: await revision() };
  });
}

export function environmentRoutes(app: FastifyInstance, deps: ProjectDeps): void {
  serve(app, deps, contract.listEnvironments, async ({ actor, params, query }) => {
    const { project } = await deps.authorize.project(actor, params.project, "project.read");
    const page = { limit: query.limit + 1, ...cursorOn(query) };
    const environments = await deps.stores.environments.page(project.id, page);
    return paged(environments, query.limit, presentEnvironment, ({ id }) => id);
  });
  serve(app, deps, contract.createEnvironment, async ({ actor, params, body }, deps) =>
    presentEnvironment(await deps.createEnvironment(actor, params.project, body)),
  );
  serve(app, deps, contract.updateEnvironment, async ({ actor, params, body }) =>
    presentEnvironment(
      await deps.updateEnvironment(actor, params.project, params.environment, body.isProtected),
    ),
  );
  serve(app, deps, contract.deleteEnvironment, ({ actor, params }) =>
    deps.deleteEnvironment(actor, params.project, params.environment),
  );
}
