import * as contract from "@starform/contract/identity";
import { Fault } from "@starform/std/fault";
import type { FastifyInstance } from "fastify";
import type { Actor } from "../core/identity/actor.ts";
import type { NewToken } from "../core/identity/api-tokens.ts";
import type { StoredToken } from "../core/identity/ports.ts";
import type { Stores } from "../core/stores.ts";
import { cursorIn, paged } from "./pages.ts";
import { presentToken } from "./present.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type IdentityDeps = ServeDeps & {
  stores: Pick<Stores, "access" | "tokens" | "sessions">;
  createLoginLink: (actor: Actor) => Promise<{ url: string; code: string; expiresAt: Date }>;
  signIn: (code: string) => Promise<contract.Session>;
  refreshSession: (refreshToken: string) => Promise<contract.Session>;
  signOut: (actor: Actor) => Promise<void>;
  createToken: (actor: Actor, input: NewToken) => Promise<StoredToken & { secret: string }>;
  deleteToken: (actor: Actor, ref: string) => Promise<void>;
};

export function identityRoutes(app: FastifyInstance, deps: IdentityDeps): void {
  serve(app, deps, contract.getMe, async ({ actor }) => {
    const held = await deps.stores.access.workspacesOf(actor.userId);
    return {
      user: { id: actor.userId, email: actor.email, name: actor.name },
      via: actor.via,
      workspaces: held
        .filter(({ workspace }) => !actor.workspaceId || workspace.id === actor.workspaceId)
        .map(({ workspace: { id, slug, name }, role }) => ({ id, slug, name, role })),
    };
  });
  serve(app, deps, contract.createLoginLink, async ({ actor }, deps) => {
    const link = await deps.createLoginLink(actor);
    return { ...link, expiresAt: link.expiresAt.toISOString() };
  });
  serve(app, deps, contract.signIn, ({ body }) => deps.signIn(body.code));
  serve(app, deps, contract.refreshSession, ({ body }) => deps.refreshSession(body.refreshToken));
  serve(app, deps, contract.signOut, ({ actor }) => deps.signOut(actor));
  serve(app, deps, contract.listTokens, async ({ actor, query }) => {
    const { userId, workspaceId, projectId } = actor;
    const page = { limit: query.limit + 1, ...cursorIn(query) };
    const tokens = await deps.stores.tokens.page(userId, { workspaceId, projectId }, page);
    return paged(tokens, query.limit, presentToken, ({ id }) => id);
  });
  serve(app, deps, contract.createToken, async ({ actor, body }, deps) => {
    const { secret, ...token } = await deps.createToken(actor, body);
    return { ...presentToken(token), secret };
  });
  serve(app, deps, contract.deleteToken, async ({ actor, params }) => {
    if (actor.scope === "read")
      throw new Fault("forbidden", "this token may only read: use one with the scope `write`");
    await deps.deleteToken(actor, params.token);
  });
}
