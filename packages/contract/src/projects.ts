import { z } from "zod";
import { EnvironmentName, Id, Ref, Slug, Timestamp } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { projectRoles } from "./permissions.ts";
import { route } from "./route.ts";
import { ProjectMember } from "./workspaces.ts";

export const Project = z
  .object({
    id: Id,
    workspaceId: Id,
    workspaceSlug: Slug,
    slug: Slug,
    name: z.string(),
    clusterId: Id,
    /** What the caller may do in it. */
    role: z.enum(projectRoles),
    createdAt: Timestamp,
  })
  .meta({ id: "Project" });
export type Project = z.infer<typeof Project>;

/** In a path, a project is its id, its slug, or `<workspace>.<slug>` where a slug alone is ambiguous. */
export const projectParams = z.object({ project: z.string().min(1).max(130) });

export const listProjects = route({
  id: "listProjects",
  method: "GET",
  path: "/v1/projects",
  area: "projects",
  summary: "The projects the caller may see, newest first.",
  query: PageQuery.extend({ workspace: Ref.optional() }),
  response: pageOf(Project),
});
export const createProject = route({
  id: "createProject",
  method: "POST",
  path: "/v1/projects",
  area: "projects",
  status: 201,
  summary: "A new project with its first environment, `production`.",
  body: z.strictObject({ workspace: Ref.optional(), slug: Slug, name: z.string().min(1).max(80).optional() }),
  response: Project,
});
export const getProject = route({
  id: "getProject",
  method: "GET",
  path: "/v1/projects/:project",
  area: "projects",
  summary: "One project.",
  params: projectParams,
  response: Project,
});
export const deleteProject = route({
  id: "deleteProject",
  method: "DELETE",
  path: "/v1/projects/:project",
  area: "projects",
  status: 204,
  summary: "Deletes a project with everything in it. `confirm` repeats its slug.",
  params: projectParams,
  query: z.object({ confirm: z.string() }),
});
export const putProjectMember = route({
  id: "putProjectMember",
  method: "PUT",
  path: "/v1/projects/:project/members/:email",
  area: "projects",
  summary: "Gives a workspace member a role in the project.",
  params: projectParams.extend({ email: z.email() }),
  body: z.strictObject({ role: z.enum(projectRoles) }),
  response: ProjectMember,
});
export const deleteProjectMember = route({
  id: "deleteProjectMember",
  method: "DELETE",
  path: "/v1/projects/:project/members/:email",
  area: "projects",
  status: 204,
  summary: "Takes a project role away.",
  params: projectParams.extend({ email: z.email() }),
});
export const listProjectMembers = route({
  id: "listProjectMembers",
  method: "GET",
  path: "/v1/projects/:project/members",
  area: "projects",
  summary: "Who was given a role in the project, by e-mail.",
  params: projectParams,
  query: PageQuery,
  response: pageOf(ProjectMember),
});

export const Environment = z
  .object({
    id: Id,
    projectId: Id,
    name: EnvironmentName,
    isProtected: z.boolean(),
    isEphemeral: z.boolean(),
    createdAt: Timestamp,
  })
  .meta({ id: "Environment" });
export type Environment = z.infer<typeof Environment>;
export const listEnvironments = route({
  id: "listEnvironments",
  method: "GET",
  path: "/v1/projects/:project/environments",
  area: "environments",
  summary: "The environments of a project, oldest first.",
  params: projectParams,
  query: PageQuery,
  response: pageOf(Environment),
});
export const createEnvironment = route({
  id: "createEnvironment",
  method: "POST",
  path: "/v1/projects/:project/environments",
  area: "environments",
  status: 201,
  summary: "A new environment; with `from`, the settings and variables of that one are copied.",
  params: projectParams,
  body: z.strictObject({
    name: EnvironmentName,
    from: Ref.optional(),
    isProtected: z.boolean().default(false),
    isEphemeral: z.boolean().default(false),
  }),
  response: Environment,
});
export const updateEnvironment = route({
  id: "updateEnvironment",
  method: "PATCH",
  path: "/v1/projects/:project/environments/:environment",
  area: "environments",
  summary: "Protects an environment or lifts the protection.",
  params: projectParams.extend({ environment: Ref }),
  body: z.strictObject({ isProtected: z.boolean() }),
  response: Environment,
});
export const deleteEnvironment = route({
  id: "deleteEnvironment",
  method: "DELETE",
  path: "/v1/projects/:project/environments/:environment",
  area: "environments",
  status: 204,
  summary: "Deletes an environment and stops what runs in it.",
  params: projectParams.extend({ environment: Ref }),
});
