import type { FieldError } from "./field-error.ts";
import type { JsonObject } from "./json.ts";

/** What a kind is called in a refusal. */
export type Named = { readonly group: string; readonly plural: string; readonly kind: string };

/** Why, one by one; `field` only where it is about a field. */
type Cause = Omit<FieldError, "field"> & { readonly field?: string };

type Details = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
};

/** A refusal: thrown anywhere below the HTTP surface, answered as a `Status`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly status: JsonObject;

  constructor(
    code: number,
    body: { reason?: string; message: string; details?: Details; metadata?: JsonObject },
  ) {
    super(body.message);
    this.code = code;
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: body.metadata ?? {},
      status: "Failure",
      message: body.message,
      ...(body.reason && { reason: body.reason }),
      ...(body.details && { details: body.details }),
      code,
    };
  }
}

const qualified = (group: string, word: string): string => (group ? `${word}.${group}` : word);
const detailsOf = (kind: Named, name: string): Details => ({
  ...(name && { name }),
  ...(kind.group && { group: kind.group }),
  kind: kind.plural,
});

export const notFound = (kind: Named, name: string): ApiError =>
  new ApiError(404, {
    reason: "NotFound",
    message: `${qualified(kind.group, kind.plural)} ${JSON.stringify(name)} not found`,
    details: detailsOf(kind, name),
  });

/** For a path that nothing is served at. */
export const noSuchPath = (): ApiError =>
  new ApiError(404, {
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });

export const alreadyExists = (kind: Named, name: string, isGoing = false): ApiError =>
  new ApiError(409, {
    reason: "AlreadyExists",
    message: `${isGoing ? "object is being deleted: " : ""}${qualified(kind.group, kind.plural)} ${JSON.stringify(name)} already exists`,
    details: detailsOf(kind, name),
  });

export const conflict = (kind: Named, name: string, why: string): ApiError =>
  new ApiError(409, {
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${qualified(kind.group, kind.plural)} ${JSON.stringify(name)}: ${why}`,
    details: detailsOf(kind, name),
  });

export const forbidden = (
  kind: Named,
  name: string,
  why: string,
  causes?: readonly FieldError[],
): ApiError => {
  const what = qualified(kind.group, kind.plural);
  return new ApiError(403, {
    reason: "Forbidden",
    message: name ? `${what} ${JSON.stringify(name)} is forbidden: ${why}` : `${what} is forbidden: ${why}`,
    details: { ...detailsOf(kind, name), ...(causes && { causes }) },
  });
};

export const badRequest = (message: string): ApiError => new ApiError(400, { reason: "BadRequest", message });

/** 422: every error once, in the order found. */
export const invalidObject = (
  { group, kind }: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError => {
  const lines = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  const all = lines.length === 1 ? (lines[0] ?? "") : `[${lines.join(", ")}]`;
  return new ApiError(422, {
    reason: "Invalid",
    message: `${qualified(group, kind)} ${JSON.stringify(name)} is invalid: ${all}`,
    details: { ...(name && { name }), ...(group && { group }), kind, causes: errors },
  });
};

export const notAllowed = (): ApiError =>
  new ApiError(405, {
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
