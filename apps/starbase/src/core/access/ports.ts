import type { ProjectRole, WorkspaceRole } from "@starform/contract/permissions";
import type { Plan } from "@starform/contract/plans";

export type Workspace = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: Plan;
  readonly createdAt: Date;
};
export type Project = {
  readonly id: string;
  readonly workspaceId: string;
  readonly workspaceSlug: string;
  readonly slug: string;
  readonly name: string;
  readonly clusterId: string;
  readonly namespace: string;
  readonly createdAt: Date;
};
export type Environment = {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly isProtected: boolean;
  readonly isEphemeral: boolean;
  readonly createdAt: Date;
};

/** What a user holds: a row they have no part in is never answered. */
export interface AccessStore {
  workspacesOf(userId: string): Promise<{ workspace: Workspace; role: WorkspaceRole }[]>;
  /** One page of them, oldest first; of one alone where the user is known by a token of it. */
  workspacePage(
    userId: string,
    filter: { workspaceId?: string | undefined },
    page: { limit: number; after?: string },
  ): Promise<{ workspace: Workspace; role: WorkspaceRole }[]>;
  /** Projects of that id or slug in the user's workspaces, with both roles. */
  projectsByRef(userId: string, ref: { workspace?: string; project: string }): Promise<HeldProject[]>;
  projectById(userId: string, projectId: string): Promise<HeldProject | undefined>;
  environment(projectId: string, name: string): Promise<Environment | undefined>;
}
export type HeldProject = {
  readonly project: Project;
  readonly workspaceRole: WorkspaceRole;
  readonly projectRole: ProjectRole | undefined;
};
