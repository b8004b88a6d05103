import { ApiError, badRequest } from "../model/api-error.ts";
import { isObject, type Json, type JsonObject } from "../model/json.ts";
import type { Meta, Stored } from "../model/object.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { decode, type Decoding } from "../schema/decode.ts";
import { defaulted } from "../schema/custom-defaults.ts";
import { pruneUnknown } from "../schema/custom-shape.ts";
import type { Call } from "./call.ts";

/**
 * Reads a request's object as its kind: unknown fields are refused, warned of, or dropped in silence as the caller
 * wants, and what was left out gets its default.
 */
export function readBody(body: Json, call: Call): Stored {
  const { kind } = call;
  if (!isObject(body)) throw badRequest("the request body is no object");
  const found: Decoding = { unknown: [] };
  const typed = kind.isCustom ? readCustom(body, call, found) : readBuiltin(body, call, found);
  report(found, call);
  const metadata = (isObject(typed["metadata"]) ? typed["metadata"] : {}) as Partial<Meta>;
  const object = { ...typed, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as Stored;
  return kind.strategy.defaults?.(object) ?? object;
}

function readBuiltin(body: JsonObject, { kind }: Call, found: Decoding): JsonObject {
  try {
    return decode(body, kind.schema, found);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.message}`,
    );
  }
}

/** A custom object is pruned to its schema and gets its defaults; what is left is validated later, with its rules. */
function readCustom(body: JsonObject, { kind }: Call, found: Decoding): JsonObject {
  const metaSchema = kind.schema.properties?.["metadata"] ?? {};
  const metadata = decode(isObject(body["metadata"]) ? body["metadata"] : {}, metaSchema, found);
  const pruned = pruneUnknown({ ...body, metadata }, kind.schema, found) as JsonObject;
  return defaulted(pruned, kind.schema) as JsonObject;
}

function report({ unknown }: Decoding, { fieldValidation, kind, warn }: Call): void {
  if (unknown.length === 0 || fieldValidation === "Ignore") return;
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (fieldValidation === "Warn") return texts.forEach((text) => warn(text));
  throw badRequest(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${texts.join(", ")}`,
  );
}
