import type { Session } from "@starform/contract/identity";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import type { Transact } from "../stores.ts";
import type { Actor } from "./actor.ts";
import type { AccessTokens } from "./ports.ts";
import { hashOfSecret, newSecret } from "./secret-token.ts";

const accessMs = 15 * 60_000;
const refreshMs = 30 * 86_400_000;
const codeMs = 10 * 60_000;

type Deps = { transact: Transact; clock: Clock; accessTokens: AccessTokens; dashboardUrl: string };

/** A one-click link for the actor: good once, for ten minutes. */
export const createLoginLink =
  ({ transact, clock, dashboardUrl }: Deps) =>
  async (actor: Actor) => {
    if (actor.scope === "read" || actor.projectId)
      throw new Fault(
        "forbidden",
        "this token is limited (read only, or to one project) and a session is not: use a token without limits",
      );
    const code = newSecret("login");
    const expiresAt = new Date(clock.now().getTime() + codeMs);
    await transact(({ sessions }) =>
      sessions.addLoginCode({ secretHash: hashOfSecret(code), userId: actor.userId, expiresAt }),
    );
    return { code, url: `${dashboardUrl}/sign-in?code=${code}`, expiresAt };
  };

/** Opens a session with the code of a sign-in link or with an unrestricted API token. */
export const signIn =
  (deps: Deps) =>
  (code: string): Promise<Session> =>
    deps.transact(async ({ sessions, tokens }) => {
      const now = deps.clock.now();
      const hash = hashOfSecret(code);
      const byToken = code.startsWith("sf_") ? await tokens.actorOf(hash, now) : undefined;
      if (byToken && (byToken.actor.scope === "read" || byToken.actor.projectId))
        throw new Fault(
          "forbidden",
          "this token is limited (read only, or to one project); sign in with one that is not, or with a sign-in link",
        );
      const userId = byToken?.actor.userId ?? (await sessions.useLoginCode(hash, now))?.userId;
      if (!userId)
        throw new Fault(
          "unauthenticated",
          "this sign-in link was used already or is older than ten minutes: run `npm run status` for a new one, or paste an API token",
        );
      const id = uuid(now.getTime());
      await sessions.insert({ id, userId, createdAt: now });
      return openPair(deps, sessions, id, now);
    });

/** A new pair for a refresh token; a token presented twice was stolen or lost, so its session ends. */
export const refreshSession =
  (deps: Deps) =>
  async (refreshToken: string): Promise<Session> => {
    const session = await deps.transact(async ({ sessions, changes }) => {
      const now = deps.clock.now();
      const used = await sessions.useRefresh(hashOfSecret(refreshToken), now);
      if (used?.outcome === "reused") {
        await sessions.revoke(used.sessionId, now);
        await changes.announce({ kind: "identity" });
      }
      return used?.outcome === "ok" ? openPair(deps, sessions, used.sessionId, now) : undefined;
    });
    if (!session) throw new Fault("unauthenticated", "the session has ended: sign in again");
    return session;
  };

async function openPair(
  { accessTokens }: Deps,
  sessions: Parameters<Parameters<Transact>[0]>[0]["sessions"],
  sessionId: string,
  now: Date,
): Promise<Session> {
  const expiresAt = new Date(now.getTime() + accessMs);
  const refreshToken = newSecret("refresh");
  await sessions.addRefresh({
    secretHash: hashOfSecret(refreshToken),
    sessionId,
    expiresAt: new Date(now.getTime() + refreshMs),
  });
  return {
    accessToken: accessTokens.sign(sessionId, expiresAt),
    accessTokenExpiresAt: expiresAt.toISOString(),
    refreshToken,
  };
}
