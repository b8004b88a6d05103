import type { Outcome } from "./outcomes.ts";
import { page } from "./page.ts";

const reasons: Record<number, string> = {
  400: "Bad Request",
  404: "Not Found",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** The gateway's own answer as bytes: a page for a browser, a problem document (RFC 9457) for everything else. */
export function answerBytes(
  outcome: Outcome,
  request: {
    readonly accept: string | undefined;
    readonly isHead: boolean;
    readonly requestId: string;
    readonly isLast: boolean;
  },
): Buffer {
  const isPage = /\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(request.accept ?? "");
  const body = Buffer.from(isPage ? page(outcome, request.requestId) : problem(outcome, request.requestId));
  const lines = [
    `HTTP/1.1 ${outcome.status} ${reasons[outcome.status] ?? "Error"}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${isPage ? "text/html; charset=utf-8" : "application/problem+json"}`,
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    "Vary: Accept",
    "X-Content-Type-Options: nosniff",
    ...(isPage
      ? ["Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"]
      : []),
    ...(outcome.retryAfterS === undefined ? [] : [`Retry-After: ${outcome.retryAfterS}`]),
    `X-Request-Id: ${request.requestId}`,
    ...(request.isLast ? ["Connection: close"] : []),
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  return request.isHead ? head : Buffer.concat([head, body]);
}

const problem = ({ status, title, what, next }: Outcome, requestId: string): string =>
  `${JSON.stringify({ type: "about:blank", title, status, detail: `${what} ${next}`, request_id: requestId })}\n`;
