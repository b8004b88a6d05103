import type { ProjectRole, WorkspaceRole } from "@starform/contract/permissions";
import type { Plan } from "@starform/contract/plans";
import type { Environment, Project, Workspace } from "../access/ports.ts";

/** Of a list that is newest first: `before` is the id of the last one of the page before. */
export type Page = { readonly limit: number; readonly before?: string };
/** Of a list that goes on as it grows: `after` is the id of the last one of the page before. */
export type PageOn = { readonly limit: number; readonly after?: string };

export interface WorkspaceStore {
  /** Fault `name_taken` when the slug is. */
  insert(workspace: Workspace): Promise<void>;
  bySlug(slug: string): Promise<Workspace | undefined>;
  plan(workspaceId: string): Promise<Plan>;
  /** Waits until nobody else holds the workspace, and holds it until the transaction ends: for what is counted in it. */
  hold(workspaceId: string): Promise<void>;
  /** Of the whole installation, by id. */
  idsOfPlan(plan: Plan, page: PageOn): Promise<string[]>;
  putMember(member: {
    workspaceId: string;
    userId: string;
    role: WorkspaceRole;
    createdAt: Date;
  }): Promise<void>;
  members(workspaceId: string): Promise<Member<WorkspaceRole>[]>;
  /** By e-mail; the cursor is a user's id. */
  memberPage(workspaceId: string, page: PageOn): Promise<Member<WorkspaceRole>[]>;
  /** Answers whether there was one. */
  removeMember(workspaceId: string, userId: string): Promise<boolean>;
}
export type Member<Role> = { userId: string; email: string; name: string; role: Role; createdAt: Date };

export interface ProjectStore {
  /** Fault `name_taken` when the workspace has one of that slug, or `conflict` when the namespace is taken. */
  insert(project: Project): Promise<void>;
  /** Those of one user, newest first. */
  page(
    userId: string,
    filter: { workspaceId?: string; projectId?: string },
    page: Page,
  ): Promise<{ project: Project; workspaceRole: WorkspaceRole; projectRole: ProjectRole | undefined }[]>;
  namespaceIsTaken(clusterId: string, namespace: string): Promise<boolean>;
  remove(workspaceId: string, projectId: string): Promise<void>;
  /**
   * Waits until nobody else holds the project, and holds it until the transaction ends. For what must fit together in
   * it: names, references, a service in every environment. Two changes at once could each be right and be wrong together.
   */
  hold(projectId: string): Promise<void>;
  /** Bumps the project's revision and announces it. */
  touch(projectId: string): Promise<void>;
  revision(projectId: string): Promise<number>;
  putMember(member: { projectId: string; userId: string; role: ProjectRole; createdAt: Date }): Promise<void>;
  /** By e-mail; the cursor is a user's id. */
  memberPage(projectId: string, page: PageOn): Promise<Member<ProjectRole>[]>;
  removeMember(projectId: string, userId: string): Promise<boolean>;
}

export interface EnvironmentStore {
  /** Fault `name_taken`. */
  insert(environment: Environment): Promise<void>;
  ofProject(projectId: string): Promise<Environment[]>;
  /** Oldest first. */
  page(projectId: string, page: PageOn): Promise<Environment[]>;
  setProtected(projectId: string, id: string, isProtected: boolean): Promise<void>;
  remove(projectId: string, id: string): Promise<void>;
}
