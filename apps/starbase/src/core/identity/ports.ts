import type { Page } from "../projects/ports.ts";
import type { Actor } from "./actor.ts";

export type User = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly createdAt: Date;
};

export interface UserStore {
  byEmail(email: string): Promise<User | undefined>;
  byId(id: string): Promise<User | undefined>;
  /** Does nothing where the e-mail is known. */
  insert(user: User): Promise<void>;
}

export type StoredToken = {
  readonly id: string;
  readonly userId: string;
  readonly workspaceId: string;
  readonly projectId: string | null;
  readonly name: string;
  readonly scope: "read" | "write";
  readonly prefix: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
};

export type TokenFilter = {
  readonly workspaceId?: string | undefined;
  readonly projectId?: string | undefined;
};

export interface TokenStore {
  insert(token: StoredToken & { secretHash: Buffer }): Promise<void>;
  ofUser(userId: string, workspaceId: string | undefined): Promise<StoredToken[]>;
  /** Newest first. */
  page(userId: string, filter: TokenFilter, page: Page): Promise<StoredToken[]>;
  /** Answers whether there was one. */
  remove(userId: string, id: string): Promise<boolean>;
  /** The actor a live token stands for. */
  actorOf(
    secretHash: Buffer,
    now: Date,
  ): Promise<{ actor: Actor; tokenId: string; expiresAt: Date | null } | undefined>;
  touch(tokenId: string, now: Date): Promise<void>;
}

export interface SessionStore {
  insert(session: { id: string; userId: string; createdAt: Date }): Promise<void>;
  addRefresh(refresh: { secretHash: Buffer; sessionId: string; expiresAt: Date }): Promise<void>;
  /** Marks the refresh token used; `reused` when it had been, which revokes its session. */
  useRefresh(
    secretHash: Buffer,
    now: Date,
  ): Promise<{ outcome: "ok" | "reused"; sessionId: string; userId: string } | undefined>;
  revokeAll(userId: string, now: Date): Promise<void>;
  revoke(sessionId: string, now: Date): Promise<void>;
  actorOf(sessionId: string): Promise<Actor | undefined>;
  addLoginCode(code: { secretHash: Buffer; userId: string; expiresAt: Date }): Promise<void>;
  /** Good once. */
  useLoginCode(secretHash: Buffer, now: Date): Promise<{ userId: string } | undefined>;
}

/** Signs and reads access tokens. */
export interface AccessTokens {
  sign(sessionId: string, expiresAt: Date): string;
  /** The session of a token that is ours and not expired. */
  read(token: string, now: Date): string | undefined;
}
