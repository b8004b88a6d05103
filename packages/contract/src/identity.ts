import { z } from "zod";
import { Id, Timestamp } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { workspaceRoles } from "./permissions.ts";
import { route } from "./route.ts";

const area = "identity";

export const Me = z
  .object({
    user: z.object({ id: Id, email: z.string(), name: z.string() }),
    /** How the caller is known: a browser's session or an API token. */
    via: z.enum(["session", "token"]),
    workspaces: z.array(
      z.object({ id: Id, slug: z.string(), name: z.string(), role: z.enum(workspaceRoles) }),
    ),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof Me>;

export const getMe = route({
  id: "getMe",
  method: "GET",
  path: "/v1/me",
  area,
  summary: "Who the caller is, and the workspaces they belong to.",
  response: Me,
});

export const Session = z
  .object({
    /** A JWT that opens the API for 15 minutes. */
    accessToken: z.string(),
    accessTokenExpiresAt: Timestamp,
    /** Good for one refresh; presenting a used one revokes the whole session. */
    refreshToken: z.string(),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

export const createLoginLink = route({
  id: "createLoginLink",
  method: "POST",
  path: "/v1/auth/login-links",
  area,
  status: 201,
  summary: "A one-click sign-in link for the caller, good once and for ten minutes.",
  response: z.object({ url: z.string(), code: z.string(), expiresAt: Timestamp }),
});

export const signIn = route({
  id: "signIn",
  method: "POST",
  path: "/v1/auth/sessions",
  area,
  audience: "public",
  status: 201,
  unkeyed:
    "Keys are told apart by who asks, and nobody is signed in yet. A sign-in link is good once, so its repeat is refused; an API token opens one more session.",
  summary: "Opens a session with the code of a sign-in link, or with an API token.",
  body: z.strictObject({ code: z.string().min(1).max(256) }),
  response: Session,
});

export const refreshSession = route({
  id: "refreshSession",
  method: "POST",
  path: "/v1/auth/refresh",
  area,
  audience: "public",
  isIdempotent: false,
  summary: "Exchanges a refresh token for a new pair.",
  body: z.strictObject({ refreshToken: z.string().min(1).max(256) }),
  response: Session,
});

export const signOut = route({
  id: "signOut",
  method: "DELETE",
  path: "/v1/auth/sessions",
  area,
  status: 204,
  summary: "Ends every session of the caller.",
});

export const ApiToken = z
  .object({
    id: Id,
    name: z.string(),
    workspaceId: Id,
    /** `null`: all of the caller's projects in the workspace. */
    projectId: Id.nullable(),
    /** `read` may only read; `write` may do what its owner may. */
    scope: z.enum(["read", "write"]),
    /** The first characters, to tell tokens apart; the whole is shown once. */
    prefix: z.string(),
    createdAt: Timestamp,
    expiresAt: Timestamp.nullable(),
    lastUsedAt: Timestamp.nullable(),
  })
  .meta({ id: "ApiToken" });
export type ApiToken = z.infer<typeof ApiToken>;

export const listTokens = route({
  id: "listTokens",
  method: "GET",
  path: "/v1/tokens",
  area,
  summary: "The caller's API tokens, newest first.",
  query: PageQuery,
  response: pageOf(ApiToken),
});

export const createToken = route({
  id: "createToken",
  method: "POST",
  path: "/v1/tokens",
  area,
  status: 201,
  summary: "Makes an API token. Its secret is in this answer and nowhere else.",
  body: z.strictObject({
    name: z.string().min(1).max(80),
    workspace: z.string().optional(),
    project: z.string().optional(),
    scope: z.enum(["read", "write"]).default("write"),
    expiresInDays: z.number().int().min(1).max(366).optional(),
  }),
  response: ApiToken.extend({ secret: z.string() }),
});

export const deleteToken = route({
  id: "deleteToken",
  method: "DELETE",
  path: "/v1/tokens/:token",
  area,
  status: 204,
  summary: "Revokes an API token at once.",
  params: z.object({ token: z.string() }),
});
