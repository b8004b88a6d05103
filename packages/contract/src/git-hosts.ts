import { z } from "zod";
import { Timestamp } from "./names.ts";
import { projectParams } from "./projects.ts";
import { RegistryHost, signInsMax } from "./registries.ts";
import { route } from "./route.ts";

const area = "git";

/** A sign-in to a Git host, for private repositories; the password or token is never shown. */
export const GitLogin = z
  .object({ host: z.string(), username: z.string(), createdBy: z.string(), createdAt: Timestamp })
  .meta({ id: "GitLogin" });
export type GitLogin = z.infer<typeof GitLogin>;

export const listGitLogins = route({
  id: "listGitLogins",
  method: "GET",
  path: "/v1/projects/:project/git-hosts",
  area,
  summary: `The Git hosts a project signs in to when it fetches code: at most ${signInsMax}, so the list is whole.`,
  params: projectParams,
  response: z.object({ items: z.array(GitLogin) }),
});
export const putGitLogin = route({
  id: "putGitLogin",
  method: "PUT",
  path: "/v1/projects/:project/git-hosts/:host",
  area,
  summary: "Keeps the sign-in to a Git host, in place of an earlier one.",
  params: projectParams.extend({ host: RegistryHost }),
  body: z.strictObject({ username: z.string().min(1).max(255), password: z.string().min(1).max(8_192) }),
  response: GitLogin,
});
export const deleteGitLogin = route({
  id: "deleteGitLogin",
  method: "DELETE",
  path: "/v1/projects/:project/git-hosts/:host",
  area,
  status: 204,
  summary: "Forgets the sign-in to a Git host.",
  params: projectParams.extend({ host: RegistryHost }),
});
