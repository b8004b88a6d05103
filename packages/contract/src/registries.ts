import { z } from "zod";
import { Timestamp } from "./names.ts";
import { projectParams } from "./projects.ts";
import { route } from "./route.ts";

const area = "registries";

/** `host` or `host:port`, as image names begin: `ghcr.io`, `registry.example.com:5000`, `docker.io`. */
export const RegistryHost = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$/,
    "write only the host, as image names begin: ghcr.io, registry.example.com:5000, docker.io",
  );

/** Sign-ins of one project: to registries, and as many to Git hosts. */
export const signInsMax = 50;

/** A sign-in for images of somebody else's registry; the password is never shown. */
export const RegistryLogin = z
  .object({ host: z.string(), username: z.string(), createdBy: z.string(), createdAt: Timestamp })
  .meta({ id: "RegistryLogin" });
export type RegistryLogin = z.infer<typeof RegistryLogin>;

export const listRegistries = route({
  id: "listRegistries",
  method: "GET",
  path: "/v1/projects/:project/registries",
  area,
  summary: `The registries a project signs in to for images that were built elsewhere: at most ${signInsMax}, so the list is whole.`,
  params: projectParams,
  response: z.object({ items: z.array(RegistryLogin) }),
});
export const putRegistry = route({
  id: "putRegistry",
  method: "PUT",
  path: "/v1/projects/:project/registries/:host",
  area,
  summary:
    "Keeps the sign-in to a registry, in place of an earlier one. It is used whenever an image of it is deployed.",
  params: projectParams.extend({ host: RegistryHost }),
  body: z.strictObject({ username: z.string().min(1).max(255), password: z.string().min(1).max(8_192) }),
  response: RegistryLogin,
});
export const deleteRegistry = route({
  id: "deleteRegistry",
  method: "DELETE",
  path: "/v1/projects/:project/registries/:host",
  area,
  status: 204,
  summary: "Forgets the sign-in to a registry; what runs keeps running.",
  params: projectParams.extend({ host: RegistryHost }),
});

export const createRegistryPassword = route({
  id: "createRegistryPassword",
  method: "POST",
  path: "/v1/projects/:project/registry-passwords",
  area,
  status: 201,
  summary:
    "A password for `docker login` at this installation's own registry that opens the project's repositories and ends by itself.",
  params: projectParams,
  body: z.strictObject({
    access: z.enum(["pull", "push"]).default("pull"),
    expiresInSeconds: z.number().int().min(60).max(31_536_000).default(3_600),
  }),
  response: z.object({
    host: z.string(),
    username: z.string(),
    password: z.string(),
    expiresAt: Timestamp,
    /** What the name of an image begins with; the id of the service follows, then a tag. */
    prefix: z.string(),
  }),
});
