import type { Session } from "@starform/contract/identity";
import { z } from "zod";

/** What the browser keeps for us and no script can read. */
const Held = z.object({
  access: z.string().min(1),
  /** Milliseconds since 1970. */
  until: z.number(),
  refresh: z.string().min(1),
});
export type HeldSession = z.infer<typeof Held>;

const monthSeconds = 30 * 86_400;

/** Cookies know no ports, so that two dashboards on one machine need two names. */
export const sessionCookieName = (host: string | null): string =>
  `starform_session_${/:(\d+)$/.exec(host ?? "")?.[1] ?? "web"}`;

export const holdSession = (session: Session): HeldSession => ({
  access: session.accessToken,
  until: Date.parse(session.accessTokenExpiresAt),
  refresh: session.refreshToken,
});

export const cookieValueOf = (held: HeldSession): string =>
  Buffer.from(JSON.stringify(held)).toString("base64url");

/** `undefined` for a cookie that is missing or not ours. */
export function readSessionCookie(value: string | undefined): HeldSession | undefined {
  if (!value) return undefined;
  try {
    return Held.safeParse(JSON.parse(Buffer.from(value, "base64url").toString())).data;
  } catch {
    return undefined;
  }
}

export const sessionCookieOptions = (headers: Headers) => ({
  httpOnly: true,
  sameSite: "lax" as const,
  secure: headers.get("x-forwarded-proto") === "https",
  path: "/",
  maxAge: monthSeconds,
});
