import { parse as parseYaml } from "yaml";
import type { User } from "../access/users.ts";
import { ApiError, badRequest } from "../model/api-error.ts";
import type { Json } from "../model/json.ts";

/** A request after it has been read and its sender is known. */
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly userAgent: string;
  readonly text: string;
  readonly user: User;
};

export type ApiResponse = {
  readonly status: number;
  readonly body: Json;
  /** The body, already written as JSON. */
  readonly json?: string;
  /** Plain text instead of JSON. */
  readonly isText?: boolean;
  readonly warnings?: readonly string[];
  readonly contentType?: string;
};

export const mediaType = (header: string): string => header.split(";")[0]?.trim() ?? "";

/** The body as JSON or YAML; undefined when there is none. */
export function bodyOf({ text, contentType }: ApiRequest): Json | undefined {
  if (text.trim() === "") return undefined;
  const type = mediaType(contentType);
  try {
    // JSON is YAML, and read a hundred times faster.
    const isYaml = type.endsWith("yaml") && !/^\s*\{"/.test(text);
    return (isYaml ? parseYaml(text) : JSON.parse(text)) as Json;
  } catch (error) {
    const isYaml = type.endsWith("yaml");
    throw badRequest(
      isYaml
        ? `error decoding YAML: ${(error as Error).message}`
        : `the object provided is unrecognized: ${(error as Error).message}`,
    );
  }
}

export function requiredBody(request: ApiRequest): Json {
  const type = mediaType(request.contentType);
  if (type === "application/vnd.kubernetes.protobuf" || type === "application/cbor")
    throw new ApiError(415, {
      reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
    });
  const body = bodyOf(request);
  if (body === null) return {};
  if (body === undefined) throw badRequest("the request has no body");
  return body;
}
