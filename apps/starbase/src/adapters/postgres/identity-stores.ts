import type { Actor } from "../../core/identity/actor.ts";
import type { SessionStore, StoredToken, TokenStore, User, UserStore } from "../../core/identity/ports.ts";
import type { Db } from "./database.ts";

export const postgresUserStore = (db: Db): UserStore => ({
  async byEmail(email) {
    const row = await db
      .selectFrom("users")
      .selectAll()
      .where("email", "=", email.toLowerCase())
      .executeTakeFirst();
    return row && toUser(row);
  },
  async byId(id) {
    const row = await db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toUser(row);
  },
  async insert({ id, email, name, createdAt }) {
    await db
      .insertInto("users")
      .values({ id, email: email.toLowerCase(), name, created_at: createdAt })
      .onConflict((on) => on.column("email").doNothing())
      .execute();
  },
});

const toUser = (row: { id: string; email: string; name: string; created_at: Date }): User => ({
  id: row.id,
  email: row.email,
  name: row.name,
  createdAt: row.created_at,
});

const tokenColumns = [
  "api_tokens.id",
  "user_id",
  "workspace_id",
  "project_id",
  "api_tokens.name",
  "scope",
  "prefix",
  "api_tokens.created_at",
  "expires_at",
  "last_used_at",
] as const;

export const postgresTokenStore = (db: Db): TokenStore => ({
  async insert(token) {
    await db
      .insertInto("api_tokens")
      .values({
        id: token.id,
        user_id: token.userId,
        workspace_id: token.workspaceId,
        project_id: token.projectId,
        name: token.name,
        scope: token.scope,
        prefix: token.prefix,
        secret_hash: token.secretHash,
        created_at: token.createdAt,
        expires_at: token.expiresAt,
        last_used_at: token.lastUsedAt,
      })
      .onConflict((on) => on.constraint("api_tokens_secret_key").doNothing())
      .execute();
  },
  async ofUser(userId, workspaceId) {
    let query = db.selectFrom("api_tokens").select(tokenColumns).where("user_id", "=", userId);
    if (workspaceId) query = query.where("workspace_id", "=", workspaceId);
    return (await query.orderBy("api_tokens.id", "desc").execute()).map(toToken);
  },
  async page(userId, { workspaceId, projectId }, { limit, before }) {
    let query = db.selectFrom("api_tokens").select(tokenColumns).where("user_id", "=", userId);
    if (workspaceId) query = query.where("workspace_id", "=", workspaceId);
    if (projectId) query = query.where("project_id", "=", projectId);
    if (before) query = query.where("api_tokens.id", "<", before);
    return (await query.orderBy("api_tokens.id", "desc").limit(limit).execute()).map(toToken);
  },
  async remove(userId, id) {
    const { numDeletedRows } = await db
      .deleteFrom("api_tokens")
      .where("user_id", "=", userId)
      .where("id", "=", id)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  },
  async actorOf(secretHash, now) {
    const row = await db
      .selectFrom("api_tokens")
      .innerJoin("users", "users.id", "api_tokens.user_id")
      .innerJoin("workspace_members", (on) =>
        on
          .onRef("workspace_members.user_id", "=", "api_tokens.user_id")
          .onRef("workspace_members.workspace_id", "=", "api_tokens.workspace_id"),
      )
      .select([
        "api_tokens.id",
        "api_tokens.user_id",
        "api_tokens.workspace_id",
        "project_id",
        "scope",
        "expires_at",
        "users.email",
        "users.name as user_name",
      ])
      .where("secret_hash", "=", secretHash)
      .executeTakeFirst();
    if (!row || (row.expires_at && row.expires_at <= now)) return undefined;
    const actor: Actor = {
      userId: row.user_id,
      email: row.email,
      name: row.user_name,
      via: "token",
      scope: row.scope as Actor["scope"],
      workspaceId: row.workspace_id,
      projectId: row.project_id ?? undefined,
      expiresAt: row.expires_at,
    };
    return { actor, tokenId: row.id, expiresAt: row.expires_at };
  },
  async touch(tokenId, now) {
    await db.updateTable("api_tokens").set({ last_used_at: now }).where("id", "=", tokenId).execute();
  },
});

type TokenRow = {
  id: string;
  user_id: string;
  workspace_id: string;
  project_id: string | null;
  name: string;
  scope: string;
  prefix: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};
const toToken = (row: TokenRow): StoredToken => ({
  id: row.id,
  userId: row.user_id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  name: row.name,
  scope: row.scope as StoredToken["scope"],
  prefix: row.prefix,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

export const postgresSessionStore = (db: Db): SessionStore => ({
  async insert({ id, userId, createdAt }) {
    await db.insertInto("sessions").values({ id, user_id: userId, created_at: createdAt }).execute();
  },
  async addRefresh({ secretHash, sessionId, expiresAt }) {
    await db
      .insertInto("refresh_tokens")
      .values({ secret_hash: secretHash, session_id: sessionId, expires_at: expiresAt })
      .execute();
  },
  async useRefresh(secretHash, now) {
    const row = await db
      .selectFrom("refresh_tokens")
      .innerJoin("sessions", "sessions.id", "refresh_tokens.session_id")
      .select(["session_id", "user_id", "used_at", "revoked_at", "expires_at"])
      .where("secret_hash", "=", secretHash)
      .forUpdate()
      .executeTakeFirst();
    if (!row || row.revoked_at || row.expires_at <= now) return undefined;
    if (row.used_at) return { outcome: "reused", sessionId: row.session_id, userId: row.user_id };
    await db
      .updateTable("refresh_tokens")
      .set({ used_at: now })
      .where("secret_hash", "=", secretHash)
      .execute();
    return { outcome: "ok", sessionId: row.session_id, userId: row.user_id };
  },
  async revokeAll(userId, now) {
    await db
      .updateTable("sessions")
      .set({ revoked_at: now })
      .where("user_id", "=", userId)
      .where("revoked_at", "is", null)
      .execute();
  },
  async revoke(sessionId, now) {
    await db.updateTable("sessions").set({ revoked_at: now }).where("id", "=", sessionId).execute();
  },
  async actorOf(sessionId) {
    const row = await db
      .selectFrom("sessions")
      .innerJoin("users", "users.id", "sessions.user_id")
      .select(["users.id", "email", "name"])
      .where("sessions.id", "=", sessionId)
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    return (
      row && {
        userId: row.id,
        email: row.email,
        name: row.name,
        via: "session",
        scope: "write",
        workspaceId: undefined,
        projectId: undefined,
      }
    );
  },
  async addLoginCode({ secretHash, userId, expiresAt }) {
    await db
      .insertInto("login_codes")
      .values({ secret_hash: secretHash, user_id: userId, expires_at: expiresAt })
      .execute();
  },
  async useLoginCode(secretHash, now) {
    const row = await db
      .updateTable("login_codes")
      .set({ used_at: now })
      .where("secret_hash", "=", secretHash)
      .where("used_at", "is", null)
      .where("expires_at", ">", now)
      .returning("user_id")
      .executeTakeFirst();
    return row && { userId: row.user_id };
  },
});
