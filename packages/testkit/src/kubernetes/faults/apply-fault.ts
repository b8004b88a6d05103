import type { ServerResponse } from "node:http";
import type { Clock } from "../clock.ts";
import { ApiError, conflict } from "../model/api-error.ts";
import type { ApiRequest } from "../http/api-request.ts";
import type { AnsweredFault, Fault } from "./fault-book.ts";
import type { Seen } from "./request-match.ts";

const reasons: Readonly<Record<number, string>> = {
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
const messages: Readonly<Record<number, string>> = {
  429: "the server has received too many requests and has asked us to try again later",
  500: "an error on the server has prevented the request from succeeding",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

/** What comes of a fault before the request is acted on: the request to act on, or undefined when there is none. */
export async function before(
  fault: Fault | undefined,
  request: ApiRequest,
  {
    response,
    seen,
    clock,
  }: { readonly response: ServerResponse; readonly seen: Seen; readonly clock: Clock },
): Promise<ApiRequest | undefined> {
  if (!fault) return request;
  if ("status" in fault) throw refusalOf(fault);
  if ("delayMs" in fault) await new Promise<void>((resolve) => void clock.after(fault.delayMs, resolve));
  if ("hangs" in fault) return undefined;
  if ("cut" in fault && fault.cut === "before") {
    response.destroy();
    return undefined;
  }
  if ("conflict" in fault && seen.attempt.name !== undefined) {
    const { group, resource, name } = seen.attempt;
    throw conflict(
      { group, plural: resource, kind: resource },
      name,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
  }
  if ("staleRevision" in fault && seen.attempt.verb === "list") {
    const query = new URLSearchParams(request.query);
    query.set("resourceVersion", String(fault.staleRevision));
    query.set("resourceVersionMatch", "Exact");
    return { ...request, query };
  }
  return request;
}

function refusalOf({ status, reason, message, retryAfterSeconds }: AnsweredFault): ApiError {
  const seconds = retryAfterSeconds ?? (status === 429 ? 1 : undefined);
  const known = reason ?? reasons[status];
  return new ApiError(status, {
    ...(known !== undefined && { reason: known }),
    message: message ?? messages[status] ?? `answered ${status} on purpose`,
    ...(seconds !== undefined && { details: { retryAfterSeconds: seconds } }),
  });
}
