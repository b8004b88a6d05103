import { isFault } from "@starform/std/fault";
import type { HeldSession } from "./session-cookie.ts";

export type SessionKeeper = {
  /**
   * The session with an access token that is good for at least a minute. A refresh token is presented once, however
   * many requests carry it: presenting it twice would end the session. Rejects as the refresh does.
   */
  fresh(held: HeldSession): Promise<HeldSession>;
};

type Deps = { refresh(refreshToken: string): Promise<HeldSession>; now(): number };

const renewBeforeMs = 60_000;
/** Requests that left with the old cookie come in for a while after the new one was answered. */
const rememberMs = 10 * 60_000;

export function sessionKeeper({ refresh, now }: Deps): SessionKeeper {
  const renewals = new Map<string, { at: number; session: Promise<HeldSession> }>();
  const forget = () => {
    for (const [token, { at }] of renewals) if (at + rememberMs < now()) renewals.delete(token);
  };
  const renew = (token: string): Promise<HeldSession> => {
    const session = refresh(token);
    renewals.set(token, { at: now(), session });
    session.catch((error: unknown) => {
      // A refusal stays one; an API that was away may be asked again.
      if (!isFault(error, "unauthenticated")) renewals.delete(token);
    });
    return session;
  };
  return {
    async fresh(held) {
      const known = renewals.get(held.refresh);
      if (!known && held.until - renewBeforeMs > now()) return held;
      forget();
      const renewed = await (known?.session ?? renew(held.refresh));
      return renewed.until - renewBeforeMs > now() ? renewed : this.fresh(renewed);
    },
  };
}
