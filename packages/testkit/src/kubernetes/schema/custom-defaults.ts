import { isList, isObject, type Json, type JsonObject } from "../model/json.ts";
import type { Schema } from "./schema.ts";

/** The value with the defaults of its schema at every depth; a null where none may be counts as left out. */
export function defaulted(value: Json, schema: Schema): Json {
  if (isList(value) && schema.items) {
    const items = schema.items;
    return value.map((item) => defaulted(item, items));
  }
  if (!isObject(value)) return value;
  const out: Record<string, Json | undefined> = { ...value };
  for (const [field, type] of Object.entries(schema.properties ?? {})) {
    if (field === "metadata") continue;
    if (out[field] === null && !type.nullable) delete out[field];
    if (out[field] === undefined && type.default !== undefined) out[field] = type.default;
    const inner = out[field];
    if (inner !== undefined) out[field] = defaulted(inner, type);
  }
  const rest = schema.additionalProperties;
  if (typeof rest === "object")
    for (const [field, inner] of Object.entries(value))
      if (!schema.properties?.[field] && inner !== undefined) out[field] = defaulted(inner, rest);
  return out as JsonObject;
}
