import {
  projectCan,
  projectRoleOf,
  workspaceCan,
  type ProjectPermission,
  type ProjectRole,
  type WorkspacePermission,
  type WorkspaceRole,
} from "@starform/contract/permissions";
import { Fault } from "@starform/std/fault";
import type { Actor } from "../identity/actor.ts";
import type { AccessStore, Environment, HeldProject, Project, Workspace } from "./ports.ts";

export type WorkspaceAccess = { readonly workspace: Workspace; readonly role: WorkspaceRole };
export type ProjectAccess = { readonly project: Project; readonly role: ProjectRole };
export type EnvironmentAccess = ProjectAccess & { readonly environment: Environment };

/** The one place where it is decided who may do what. What a caller may not know of is told as not found. */
export interface Authorize {
  /** Without a ref: the caller's only workspace, or the first they own. */
  workspace(actor: Actor, ref: string | undefined, permission: WorkspacePermission): Promise<WorkspaceAccess>;
  project(actor: Actor, ref: string, permission: ProjectPermission): Promise<ProjectAccess>;
  /** Names the environment, so that its protection counts. */
  environment(
    actor: Actor,
    ref: string,
    environment: string,
    permission: ProjectPermission,
  ): Promise<EnvironmentAccess>;
  /** The role the actor has in a project found by other means, such as a deployment's; not_found where none. */
  projectById(
    actor: Actor,
    projectId: string,
    environment: string,
    permission: ProjectPermission,
  ): Promise<EnvironmentAccess>;
}

export function authorizer({ access }: { access: AccessStore }): Authorize {
  const project = async (
    actor: Actor,
    ref: string,
    permission: ProjectPermission,
  ): Promise<ProjectAccess> => {
    const held = (await access.projectsByRef(actor.userId, readRef(ref))).flatMap((row) => admit(actor, row));
    if (held.length > 1)
      throw new Fault(
        "conflict",
        `you are in several workspaces that have a project named ${ref}: write <workspace>.${ref}, or use its id`,
      );
    return allow(actor, held[0] ?? notFound("project", ref), permission, false);
  };
  const inEnvironment = async (
    actor: Actor,
    found: ProjectAccess,
    name: string,
    permission: ProjectPermission,
  ) => {
    const environment = await access.environment(found.project.id, name);
    if (!environment) return notFound("environment", name);
    return { ...allow(actor, found, permission, environment.isProtected), environment };
  };
  return {
    project,
    environment: async (actor, ref, name, permission) =>
      inEnvironment(actor, await project(actor, ref, "project.read"), name, permission),
    async projectById(actor, projectId, name, permission) {
      const row = await access.projectById(actor.userId, projectId);
      const [held] = row ? admit(actor, row) : [];
      if (!held) return notFound("deployment");
      return inEnvironment(actor, held, name, permission);
    },
    async workspace(actor, ref, permission) {
      const all = (await access.workspacesOf(actor.userId)).filter(
        ({ workspace }) => !actor.workspaceId || workspace.id === actor.workspaceId,
      );
      const held = ref
        ? all.find(({ workspace }) => workspace.slug === ref || workspace.id === ref)
        : (all.find(({ role }) => role === "owner") ?? all[0]);
      if (!held) return notFound("workspace", ref);
      if (actor.projectId && permission !== "workspace.read")
        throw new Fault("forbidden", "this token is limited to one project: use one of the whole workspace");
      refuseReadOnly(actor, permission);
      if (!workspaceCan(held.role, permission))
        throw new Fault(
          "forbidden",
          `your role in ${held.workspace.slug} is ${held.role}, which does not allow ${permission}: ask an owner or admin`,
        );
      return held;
    },
  };
}

/** A held project the actor's token and roles let them know of. */
function admit(actor: Actor, { project, workspaceRole, projectRole }: HeldProject): ProjectAccess[] {
  if (actor.workspaceId && project.workspaceId !== actor.workspaceId) return [];
  if (actor.projectId && project.id !== actor.projectId) return [];
  const role = projectRoleOf(workspaceRole, projectRole);
  return role ? [{ project, role }] : [];
}

function allow(
  actor: Actor,
  held: ProjectAccess,
  permission: ProjectPermission,
  isProtected: boolean,
): ProjectAccess {
  refuseReadOnly(actor, permission);
  if (projectCan(held.role, permission, isProtected)) return held;
  const why = projectCan(held.role, permission, false)
    ? "and the environment is protected"
    : `which does not allow ${permission}`;
  throw new Fault(
    "forbidden",
    `your role in ${held.project.slug} is ${held.role}, ${why}: ask a project admin`,
  );
}

function refuseReadOnly(actor: Actor, permission: string): void {
  if (actor.scope === "read" && !permission.endsWith(".read"))
    throw new Fault("forbidden", "this token may only read: use one with the scope `write`");
}

function readRef(ref: string): { workspace?: string; project: string } {
  const dot = ref.indexOf(".");
  return dot < 0 ? { project: ref } : { workspace: ref.slice(0, dot), project: ref.slice(dot + 1) };
}

export function notFound(what: string, ref?: string): never {
  throw new Fault(
    "not_found",
    ref
      ? `there is no ${what} named ${ref.slice(0, 80)}, or you have no access to it`
      : `there is no such ${what}, or you have no access to it`,
  );
}
