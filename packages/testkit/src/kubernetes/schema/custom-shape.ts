import { isList, isObject, type Json } from "../model/json.ts";
import type { Decoding } from "./decode.ts";
import { fieldSchema, isFree, type Schema } from "./schema.ts";

/** Drops the fields that a custom object's schema does not have, and collects their paths. */
export function pruneUnknown(value: Json, schema: Schema, found: Decoding, path = ""): Json {
  if (isList(value) && schema.items) {
    const items = schema.items;
    return value.map((item, index) => pruneUnknown(item, items, found, `${path}[${index}]`));
  }
  if (!isObject(value) || isFree(schema)) return value;
  const out: Record<string, Json> = {};
  for (const [field, inner] of Object.entries(value)) {
    const here = path ? `${path}.${field}` : field;
    const type = fieldSchema(schema, field);
    if (!type) found.unknown.push(here);
    else if (inner !== undefined)
      out[field] = here === "metadata" ? inner : pruneUnknown(inner, type, found, here);
  }
  return out;
}
