import { ApiError, badRequest } from "../model/api-error.ts";
import type { Manager } from "../apply/managers.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Meta } from "../model/object.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** One call on one kind: who calls, on what, and how. */
export type Call = {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource?: string | undefined;
  readonly user: string;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly dryRun: boolean;
  readonly warn: (text: string) => void;
};

export const updaterOf = ({ kind, subresource, fieldManager }: Call): Manager => ({
  manager: fieldManager,
  operation: "Update",
  apiVersion: apiVersionOf(kind),
  ...(subresource !== undefined && { subresource }),
});

/** Refuses an object that is not what the address says; what it leaves out is taken from there. */
export function placed(meta: Partial<Meta>, { kind, namespace, name }: Call): Meta {
  if (name && meta.name && meta.name !== name)
    throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${name})`);
  if (kind.namespaced && meta.namespace && meta.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (!kind.namespaced && meta.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  return {
    ...meta,
    name: meta.name ?? name,
    ...(kind.namespaced && namespace !== undefined && { namespace }),
  };
}

/** Refuses a body of another kind than the address says. */
export function sameKind(body: { readonly apiVersion?: unknown; readonly kind?: unknown }, kind: Kind): void {
  const [wanted, given] = [apiVersionOf(kind), String(body.apiVersion ?? "")];
  if (given && given !== wanted)
    throw badRequest(
      `the API version in the data (${given}) does not match the expected API version (${wanted})`,
    );
  if (body.kind && body.kind !== kind.kind)
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): kind ${String(body.kind)} given`,
    );
}

export const unsupportedMedia = (message: string, details?: object): ApiError =>
  new ApiError(415, { reason: "UnsupportedMediaType", message, ...(details && { details }) });
