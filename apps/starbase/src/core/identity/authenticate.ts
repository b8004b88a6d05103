import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import type { Stores } from "../stores.ts";
import type { Actor } from "./actor.ts";
import type { AccessTokens } from "./ports.ts";
import { hashOfSecret } from "./secret-token.ts";

export type Authenticate = (authorization: string | undefined) => Promise<Actor>;
/**
 * Who an earlier caller is now, looked up anew: undefined when their token, session or membership is gone. The quarter of
 * an hour an access token opens a request for is no end of what was begun with it.
 */
export type LookAgain = (authorization: string | undefined) => Promise<Actor | undefined>;
export type Authenticator = { authenticate: Authenticate; lookAgain: LookAgain; forgetAll(): void };

const keepMs = 5_000;
const touchEveryMs = 60_000;

/**
 * Reads `Authorization: Bearer …` (an access token or an API token) or `Basic …` (an API token as the password, as Git
 * sends it). What was found out is kept for five seconds; a revocation anywhere calls `forgetAll` at once.
 */
export function authenticator(deps: {
  stores: Stores;
  clock: Clock;
  accessTokens: AccessTokens;
}): Authenticator {
  const known = new Map<string, { actor: Actor; untilMs: number }>();
  const touched = new Map<string, number>();

  const find = async (secret: string, now: Date, openedAt = now): Promise<Actor | undefined> => {
    if (!secret.startsWith("sf_")) {
      const sessionId = deps.accessTokens.read(secret, openedAt);
      return sessionId ? deps.stores.sessions.actorOf(sessionId) : undefined;
    }
    const found = await deps.stores.tokens.actorOf(hashOfSecret(secret), now);
    if (found && now.getTime() - (touched.get(found.tokenId) ?? 0) > touchEveryMs) {
      if (touched.size > 10_000) touched.clear();
      touched.set(found.tokenId, now.getTime());
      await deps.stores.tokens.touch(found.tokenId, now);
    }
    return found?.actor;
  };

  return {
    forgetAll: () => known.clear(),
    async lookAgain(authorization) {
      const secret = secretOf(authorization);
      return secret ? find(secret, deps.clock.now(), new Date(0)) : undefined;
    },
    async authenticate(authorization) {
      const secret = secretOf(authorization);
      if (!secret)
        throw new Fault(
          "unauthenticated",
          "sign in first: run `starform login`, or send `Authorization: Bearer <token>`",
        );
      const now = deps.clock.now();
      const hit = known.get(secret);
      if (hit && hit.untilMs > now.getTime()) return hit.actor;
      const actor = await find(secret, now);
      if (!actor)
        throw new Fault(
          "unauthenticated",
          "this token is wrong, expired or revoked: run `starform login`, or make a new one with `starform tokens create`",
        );
      if (known.size > 10_000) known.clear();
      known.set(secret, { actor, untilMs: now.getTime() + keepMs });
      return actor;
    },
  };
}

function secretOf(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.split(" ") ?? [];
  if (!scheme || !value) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1) || text.slice(0, text.indexOf(":"));
}
