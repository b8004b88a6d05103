/**
 * The one table of permissions. The API enforces it, the dashboard and the CLI read it to grey a button out, the docs
 * print it. Workspace Owners and Admins hold every project as its Admin; a workspace Member holds what the project gave.
 */
export const workspaceRoles = ["owner", "admin", "billing", "member"] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];
export const projectRoles = ["admin", "developer", "viewer"] as const;
export type ProjectRole = (typeof projectRoles)[number];

export const workspacePermissions = {
  "workspace.read": ["owner", "admin", "billing", "member"],
  "workspace.update": ["owner", "admin"],
  "workspace.delete": ["owner"],
  "members.read": ["owner", "admin", "member"],
  "members.write": ["owner", "admin"],
  "projects.create": ["owner", "admin"],
  "billing.read": ["owner", "billing"],
  "billing.write": ["owner"],
  "audit.read": ["owner", "admin"],
} as const satisfies Record<string, readonly WorkspaceRole[]>;
export type WorkspacePermission = keyof typeof workspacePermissions;

/** `open` holds in every environment that is not protected, `protected` in those that are. */
export const projectPermissions = {
  "project.read": { open: ["admin", "developer", "viewer"], protected: ["admin", "developer", "viewer"] },
  "project.update": { open: ["admin"], protected: ["admin"] },
  "project.delete": { open: ["admin"], protected: ["admin"] },
  "project_members.write": { open: ["admin"], protected: ["admin"] },
  "environments.write": { open: ["admin"], protected: ["admin"] },
  "services.write": { open: ["admin", "developer"], protected: ["admin"] },
  "deployments.write": { open: ["admin", "developer"], protected: ["admin"] },
  "variables.write": { open: ["admin", "developer"], protected: ["admin"] },
  "secrets.reveal": { open: ["admin", "developer"], protected: ["admin"] },
  "logs.read": { open: ["admin", "developer", "viewer"], protected: ["admin", "developer", "viewer"] },
  "metrics.read": { open: ["admin", "developer", "viewer"], protected: ["admin", "developer", "viewer"] },
} as const satisfies Record<string, { open: readonly ProjectRole[]; protected: readonly ProjectRole[] }>;
export type ProjectPermission = keyof typeof projectPermissions;

export const workspaceCan = (role: WorkspaceRole, permission: WorkspacePermission): boolean =>
  (workspacePermissions[permission] as readonly WorkspaceRole[]).includes(role);

export const projectCan = (role: ProjectRole, permission: ProjectPermission, isProtected: boolean): boolean =>
  (projectPermissions[permission][isProtected ? "protected" : "open"] as readonly ProjectRole[]).includes(
    role,
  );

/** The role in a project that a workspace role brings by itself; `undefined` where the project has to give one. */
export const projectRoleOf = (role: WorkspaceRole, given: ProjectRole | undefined): ProjectRole | undefined =>
  role === "owner" || role === "admin" ? "admin" : role === "member" ? given : undefined;

/** What those who run the installation may do, and nobody by a role in a workspace. */
export const platformPermissions = ["clusters.read", "clusters.write"] as const;
export type PlatformPermission = (typeof platformPermissions)[number];
