import type { Problem } from "@starform/contract/problems";
import { faultCodes, type FaultCode } from "@starform/std/fault";

const passedOn = ["accept", "content-type", "idempotency-key", "if-match", "if-none-match"];
const passedBack = ["content-type", "etag", "retry-after", "x-request-id"];
const bodyBytesMax = 4 * 2 ** 20;

/** A refusal of the dashboard's own server, in the form of the API's. */
export function refuse(code: FaultCode, detail: string): Response {
  const problem: Problem = {
    type: `https://starform.app/problems/${code}`,
    title: code.replaceAll("_", " "),
    status: faultCodes[code],
    code,
    detail,
  };
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

/** The API's path behind `/api/…`; `undefined` for what pages may not call, as the answers there hold session tokens. */
export function apiPathOf(pathname: string): string | undefined {
  const path = pathname.replace(/^\/api(?=\/)/, "");
  const plain = decodeURIComponent(path);
  if (!plain.startsWith("/v1/")) return undefined;
  return plain.startsWith("/v1/auth") && plain !== "/v1/auth/login-links" ? undefined : path;
}

/** Sends a page's request to the API in the name of the session and streams the answer back as it comes. */
export async function forward(request: Request, url: string, accessToken: string): Promise<Response> {
  const headers = new Headers({ authorization: `Bearer ${accessToken}`, "user-agent": "stardeck" });
  for (const name of passedOn) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const body =
    request.method === "GET" || request.method === "HEAD" ? undefined : await request.arrayBuffer();
  if (body && body.byteLength > bodyBytesMax) return refuse("too_large", "the request is larger than 4 MiB");
  try {
    const answer = await fetch(url, {
      method: request.method,
      headers,
      signal: request.signal,
      redirect: "manual",
      cache: "no-store",
      ...(body && body.byteLength > 0 ? { body } : {}),
    });
    return new Response(answer.body, { status: answer.status, headers: backHeaders(answer.headers) });
  } catch {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return refuse(
      "unavailable",
      "the platform's API cannot be reached right now: it is tried again by itself",
    );
  }
}

function backHeaders(from: Headers): Headers {
  const headers = new Headers({ "cache-control": "no-store", "x-accel-buffering": "no" });
  for (const name of passedBack) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}
