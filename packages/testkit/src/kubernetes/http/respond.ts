import type { ServerResponse } from "node:http";
import { ApiError } from "../model/api-error.ts";
import type { ApiResponse } from "./api-request.ts";

/** What is answered when something was thrown: the refusal itself, or a 500 that says where the fake broke. */
export function refusal(error: unknown): ApiResponse {
  if (error instanceof ApiError) return { status: error.code, body: error.status };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { status } = new ApiError(500, {
    reason: "InternalError",
    message: `Internal error occurred: ${message}`,
  });
  return { status: 500, body: status };
}

export function send(
  response: ServerResponse,
  { status, body, json, isText, warnings = [], contentType }: ApiResponse,
): void {
  if (response.headersSent) return void response.end();
  const retry = (body as { details?: { retryAfterSeconds?: number } } | null)?.details?.retryAfterSeconds;
  response.statusCode = status;
  if (warnings.length > 0)
    response.setHeader(
      "Warning",
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  if (retry !== undefined) response.setHeader("Retry-After", String(retry));
  if (status === 204) return void response.end();
  response.setHeader(
    "Content-Type",
    contentType ?? (isText ? "text/plain; charset=utf-8" : "application/json"),
  );
  response.end(isText ? String(body) : (json ?? JSON.stringify(body)));
}
