import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { serviceAccountUser, type User } from "./users.ts";

export const defaultAudience = "https://kubernetes.default.svc.cluster.local";

type Claims = {
  readonly exp: number;
  readonly jti: string;
  readonly aud: readonly string[];
  readonly namespace: string;
  readonly account: string;
  readonly uid: string;
};

/** Tokens of users that the test names, and those that service accounts are given. */
export type Tokens = {
  userOf(token: string | undefined): User | undefined;
  issue(
    account: { namespace: string; name: string; uid: string },
    audiences: readonly string[],
    seconds: number,
  ): { token: string; expires: Date };
  claimsOf(token: string): Claims | undefined;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export function openTokens(
  named: ReadonlyMap<string, User>,
  { store, clock }: { store: Store; clock: Clock },
): Tokens {
  const key = randomBytes(32);
  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64url");

  /** What a token says, when it is ours, has not run out, and its account is still the same one. */
  const claimsOf = (token: string): Claims | undefined => {
    const [header = "", body = "", signature = ""] = token.split(".");
    const [given, right] = [Buffer.from(signature), Buffer.from(sign(`${header}.${body}`))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims;
    const account = store.get("serviceaccounts", claims.namespace, claims.account);
    const isFresh = claims.exp * 1000 > clock.now().getTime();
    return isFresh && account?.metadata.uid === claims.uid ? claims : undefined;
  };

  return {
    claimsOf,
    userOf: (token) => {
      if (token === undefined) return undefined;
      const user = named.get(token);
      if (user) return { ...user, groups: [...new Set([...user.groups, "system:authenticated"])] };
      const claims = claimsOf(token);
      return claims?.aud.includes(defaultAudience)
        ? serviceAccountUser(claims.namespace, claims.account, claims.uid)
        : undefined;
    },
    issue: ({ namespace, name, uid }, audiences, seconds) => {
      const expires = new Date(clock.now().getTime() + seconds * 1000);
      const claims: Claims = {
        exp: Math.floor(expires.getTime() / 1000),
        jti: randomUUID(),
        aud: audiences,
        namespace,
        account: name,
        uid,
      };
      const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
      return { token: `${text}.${sign(text)}`, expires };
    },
  };
}
