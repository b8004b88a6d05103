import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Transact } from "../stores.ts";
import type { Actor } from "./actor.ts";
import type { StoredToken, TokenStore } from "./ports.ts";
import { hashOfSecret, newSecret, prefixOf } from "./secret-token.ts";

export type NewToken = {
  readonly name: string;
  readonly workspace?: string | undefined;
  readonly project?: string | undefined;
  readonly scope: "read" | "write";
  readonly expiresInDays?: number | undefined;
};

/** Makes a token for the actor that reaches no further than the actor does. The secret is answered once. */
export const createToken =
  ({ transact, authorize, clock }: { transact: Transact; authorize: Authorize; clock: Clock }) =>
  async (actor: Actor, input: NewToken): Promise<StoredToken & { secret: string }> => {
    const { workspaceId, projectId } = await reach(authorize, actor, input);
    const now = clock.now();
    const secret = newSecret("sf");
    const token: StoredToken = {
      id: uuid(now.getTime()),
      userId: actor.userId,
      workspaceId,
      projectId,
      name: input.name,
      scope: actor.scope === "read" ? "read" : input.scope,
      prefix: prefixOf(secret),
      createdAt: now,
      expiresAt: expiryOf(actor, input, now),
      lastUsedAt: null,
    };
    await transact(async ({ tokens, audit }) => {
      await tokens.insert({ ...token, secretHash: hashOfSecret(secret) });
      await record(audit, clock, {
        workspaceId,
        event: "token.created",
        actor: actor.email,
        subject: token.name,
        detail: { prefix: token.prefix, scope: token.scope },
      });
    });
    return { ...token, secret };
  };

function expiryOf(actor: Actor, { expiresInDays }: NewToken, now: Date): Date | null {
  const asked = expiresInDays ? new Date(now.getTime() + expiresInDays * 86_400_000) : null;
  const own = actor.expiresAt ?? null;
  return own && (!asked || own < asked) ? own : asked;
}

/** The tokens an actor may know of: a token of one project knows that project's. */
export const tokensOf = async (tokens: Pick<TokenStore, "ofUser">, actor: Actor): Promise<StoredToken[]> =>
  (await tokens.ofUser(actor.userId, actor.workspaceId)).filter(
    (token) => !actor.projectId || token.projectId === actor.projectId,
  );

async function reach(authorize: Authorize, actor: Actor, { workspace, project }: NewToken) {
  const ref = project ?? actor.projectId;
  if (ref) {
    const held = await authorize.project(actor, ref, "project.read");
    return { workspaceId: held.project.workspaceId, projectId: held.project.id };
  }
  const held = await authorize.workspace(actor, workspace, "workspace.read");
  return { workspaceId: held.workspace.id, projectId: null };
}

export const deleteToken =
  ({ transact, clock }: { transact: Transact; clock: Clock }) =>
  (actor: Actor, ref: string): Promise<void> =>
    transact(async ({ tokens, audit, changes }) => {
      const token = (await tokensOf(tokens, actor)).find(
        (t) => t.id === ref || t.name === ref || t.prefix === ref,
      );
      if (!token || !(await tokens.remove(actor.userId, token.id))) return notFound("token", ref);
      await record(audit, clock, {
        workspaceId: token.workspaceId,
        event: "token.deleted",
        actor: actor.email,
        subject: token.name,
      });
      await changes.announce({ kind: "identity" });
    });
