import { isFault, wordsOf } from "@starform/std/fault";
import { cookies } from "next/headers";
import { readConfig } from "../../../config.ts";
import { apiPathOf, forward, refuse } from "../../../session/forward.ts";
import { keeper } from "../../../session/open-session.ts";
import { isOwnRequest } from "../../../session/same-origin.ts";
import {
  cookieValueOf,
  readSessionCookie,
  sessionCookieName,
  sessionCookieOptions,
  type HeldSession,
} from "../../../session/session-cookie.ts";

/** The API for our own pages: the session's access token is put in here, and never leaves the server. */
async function handle(request: Request): Promise<Response> {
  if (!isOwnRequest(request))
    return refuse("forbidden", "this request did not come from the dashboard itself");
  const { pathname, search } = new URL(request.url);
  const path = apiPathOf(pathname);
  if (path === undefined) return refuse("not_found", "the dashboard has nothing at this address");
  const name = sessionCookieName(request.headers.get("host"));
  const jar = await cookies();
  const held = readSessionCookie(jar.get(name)?.value);
  if (!held) return refuse("unauthenticated", "sign in first");
  let session: HeldSession;
  try {
    session = await keeper().fresh(held);
  } catch (error) {
    if (!isFault(error, "unauthenticated")) return refuse("unavailable", wordsOf(error));
    jar.delete(name);
    return refuse("unauthenticated", "the session has ended: sign in again");
  }
  if (session !== held) jar.set(name, cookieValueOf(session), sessionCookieOptions(request.headers));
  return forward(request, `${readConfig(process.env).apiUrl}${path}${search}`, session.access);
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
