import { z } from "zod";
import { Id, Ref, Slug, Timestamp } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { projectRoles, workspaceRoles } from "./permissions.ts";
import { route } from "./route.ts";

const area = "workspaces";

export const Workspace = z
  .object({ id: Id, slug: Slug, name: z.string(), role: z.enum(workspaceRoles), createdAt: Timestamp })
  .meta({ id: "Workspace" });
export type Workspace = z.infer<typeof Workspace>;

export const listWorkspaces = route({
  id: "listWorkspaces",
  method: "GET",
  path: "/v1/workspaces",
  area,
  summary: "The workspaces the caller belongs to, oldest first.",
  query: PageQuery,
  response: pageOf(Workspace),
});
export const createWorkspace = route({
  id: "createWorkspace",
  method: "POST",
  path: "/v1/workspaces",
  area,
  status: 201,
  summary: "A new workspace, owned by the caller.",
  body: z.strictObject({ slug: Slug, name: z.string().min(1).max(80).optional() }),
  response: Workspace,
});

export const Member = z
  .object({
    userId: Id,
    email: z.string(),
    name: z.string(),
    role: z.enum(workspaceRoles),
    createdAt: Timestamp,
  })
  .meta({ id: "Member" });
export const ProjectMember = z
  .object({
    userId: Id,
    email: z.string(),
    name: z.string(),
    role: z.enum(projectRoles),
    createdAt: Timestamp,
  })
  .meta({ id: "ProjectMember" });

const workspaceParams = z.object({ workspace: Ref });
export const listMembers = route({
  id: "listMembers",
  method: "GET",
  path: "/v1/workspaces/:workspace/members",
  area,
  summary: "Who belongs to a workspace, and as what, by e-mail.",
  params: workspaceParams,
  query: PageQuery,
  response: pageOf(Member),
});
export const putMember = route({
  id: "putMember",
  method: "PUT",
  path: "/v1/workspaces/:workspace/members/:email",
  area,
  summary: "Adds a member by e-mail, or changes their role. The last owner stays owner.",
  params: workspaceParams.extend({ email: z.email() }),
  body: z.strictObject({ role: z.enum(workspaceRoles), name: z.string().max(80).optional() }),
  response: Member,
});
export const deleteMember = route({
  id: "deleteMember",
  method: "DELETE",
  path: "/v1/workspaces/:workspace/members/:email",
  area,
  status: 204,
  summary: "Removes a member, their tokens and their sessions' access to the workspace.",
  params: workspaceParams.extend({ email: z.email() }),
});

export const AuditEntry = z
  .object({
    id: Id,
    at: Timestamp,
    /** Area, dot, past tense: `deployment.activated`. */
    event: z.string(),
    actor: z.string(),
    projectId: Id.nullable(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;
export const listAudit = route({
  id: "listAudit",
  method: "GET",
  path: "/v1/workspaces/:workspace/audit",
  area: "audit",
  summary: "What was done in a workspace, newest first.",
  params: workspaceParams,
  query: PageQuery.extend({ project: z.string().optional() }),
  response: pageOf(AuditEntry),
});
