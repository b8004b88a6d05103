import { faultCodes, isFault, wordsOf } from "@starform/std/fault";
import { cookies } from "next/headers";
import { z } from "zod";
import { refuse } from "../../../session/forward.ts";
import { endSession, openSession } from "../../../session/open-session.ts";
import { isOwnRequest } from "../../../session/same-origin.ts";
import {
  cookieValueOf,
  readSessionCookie,
  sessionCookieName,
  sessionCookieOptions,
} from "../../../session/session-cookie.ts";

const Body = z.strictObject({ code: z.string().trim().min(1).max(256) });
const foreign = () => refuse("forbidden", "this request did not come from the dashboard itself");
const told = (error: unknown): Response => {
  if (isFault(error) && error.code in faultCodes && error.code !== "internal")
    return refuse(error.code, error.message);
  console.error(`stardeck: ${wordsOf(error)}`);
  return refuse("internal", "something went wrong on our side; it was written to the log");
};

/** Signs in: the tokens stay in a cookie that no script can read. */
export async function POST(request: Request): Promise<Response> {
  if (!isOwnRequest(request)) return foreign();
  const body = Body.safeParse(await request.json().catch(() => undefined));
  if (!body.success) return refuse("invalid", "give the code of a sign-in link, or an API token");
  try {
    const held = await openSession(body.data.code);
    const name = sessionCookieName(request.headers.get("host"));
    (await cookies()).set(name, cookieValueOf(held), sessionCookieOptions(request.headers));
    return new Response(null, { status: 204 });
  } catch (error) {
    return told(error);
  }
}

/** Signs out everywhere. The cookie goes even when the session had ended by itself. */
export async function DELETE(request: Request): Promise<Response> {
  if (!isOwnRequest(request)) return foreign();
  const name = sessionCookieName(request.headers.get("host"));
  const jar = await cookies();
  const held = readSessionCookie(jar.get(name)?.value);
  try {
    if (held) await endSession(held);
  } catch (error) {
    if (!isFault(error, "unauthenticated")) return told(error);
  }
  jar.delete(name);
  return new Response(null, { status: 204 });
}
