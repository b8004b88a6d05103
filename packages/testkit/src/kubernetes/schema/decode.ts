import { badRequest } from "../model/api-error.ts";
import { isList, isObject, type Json, type JsonObject } from "../model/json.ts";
import { canonicalQuantity } from "../model/quantity.ts";
import { fieldSchema, isFree, isIntOrString, isQuantity, type Schema } from "./schema.ts";

/** What reading an object by its schema found besides the object. */
export type Decoding = { readonly unknown: string[] };

/** The package and name of a type as Go's decoder prints it, like `v1.Container`. */
const goType = (schema: Schema): string => {
  const parts = schema.title?.split(".") ?? [];
  if (isQuantity(schema)) return "resource.Quantity";
  if (parts.length > 1) return parts.slice(-2).join(".");
  if (schema.type === "array") return `[]${goType(schema.items ?? {})}`;
  if (schema.type === "object") return `map[string]${goType(schema.additionalProperties as Schema)}`;
  if (schema.type === "integer") return schema.format ?? "int64";
  if (schema.type === "boolean") return "bool";
  return schema.type === "number" ? "float64" : "string";
};

const jsonType = (value: Json): string => {
  if (isList(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return isObject(value) ? "object" : typeof value;
};

/** `field` is the path in the words of Go's decoder, which knows neither keys of maps nor places in lists. */
type Place = { readonly path: string; readonly field: string; readonly struct: string };

function refuse(value: Json, schema: Schema, { field, struct }: Place): never {
  const isOutOfRange = typeof value === "number" && schema.type === "integer";
  throw badRequest(
    `json: cannot unmarshal ${isOutOfRange ? `number ${value}` : jsonType(value)} into Go struct field ${struct}.${field} of type ${goType(schema)}`,
  );
}

/**
 * Reads an object of a built-in kind as the API server's decoder does: wrong types are refused, nulls count as
 * absent, quantities get their canonical form, fields that the kind does not have are dropped and their paths
 * collected. The message lacks the decoder's prefix, which names the kind.
 */
export function decode(value: JsonObject, schema: Schema, found: Decoding): JsonObject {
  const name = schema.title?.split(".").at(-1) ?? "";
  return decodeAny(value, schema, { path: "", field: "", struct: name }, found) as JsonObject;
}

function decodeAny(value: Json, schema: Schema, place: Place, found: Decoding): Json | undefined {
  if (value === null) return undefined;
  if (isQuantity(schema)) {
    if (typeof value !== "string" && typeof value !== "number") refuse(value, schema, place);
    return canonicalQuantity(value);
  }
  if (isIntOrString(schema)) {
    return typeof value === "string" || typeof value === "number" ? value : refuse(value, schema, place);
  }
  if (isFree(schema)) return value;
  if (schema.type === "array") return decodeList(value, schema, place, found);
  if (schema.type === "object") return decodeObject(value, schema, place, found);
  if (!fits(value, schema)) refuse(value, schema, place);
  if (schema.format === "byte") checkBase64(String(value));
  if (schema.format === "date-time" && Number.isNaN(Date.parse(String(value))))
    throw badRequest(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
    );
  return value;
}

function checkBase64(text: string): void {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return;
  const wrong = text.search(/[^A-Za-z0-9+/]/);
  throw badRequest(`illegal base64 data at input byte ${wrong < 0 ? text.length : wrong}`);
}

function fits(value: Json, { type, format }: Schema): boolean {
  const types: readonly (string | undefined)[] = Array.isArray(type) ? type : [type as string];
  if (types.includes("string")) return typeof value === "string";
  if (types.includes("boolean")) return typeof value === "boolean";
  if (types.includes("integer"))
    return Number.isInteger(value) && (format !== "int32" || Math.abs(value as number) < 2 ** 31);
  return typeof value === "number";
}

const join = (path: string, field: string): string => (path ? `${path}.${field}` : field);

/** Lists and maps that are empty are not written, unless the kind cannot do without. */
function isLeftOut(value: Json, field: string, schema: Schema): boolean {
  // A list of managers that is empty asks for them to be forgotten.
  if (schema.required?.includes(field) || field === "managedFields") return false;
  const type = fieldSchema(schema, field);
  if (!type || isFree(type)) return false;
  const isMap = type.additionalProperties !== undefined && type.properties === undefined;
  return isList(value) ? value.length === 0 : isMap && isObject(value) && Object.keys(value).length === 0;
}

function decodeList(value: Json, schema: Schema, place: Place, found: Decoding): Json {
  if (!isList(value)) refuse(value, schema, place);
  const items = schema.items ?? {};
  return value.map(
    (item, index) => decodeAny(item, items, { ...place, path: `${place.path}[${index}]` }, found) ?? null,
  );
}

function decodeObject(value: Json, schema: Schema, place: Place, found: Decoding): Json {
  if (!isObject(value)) refuse(value, schema, place);
  const struct = schema.title?.split(".").at(-1) ?? place.struct;
  const out: Record<string, Json> = {};
  for (const [field, inner] of Object.entries(value)) {
    const path = join(place.path, field);
    const type = fieldSchema(schema, field);
    if (!type) found.unknown.push(path);
    else if (inner !== undefined) {
      const isStruct = schema.properties?.[field] !== undefined;
      const below = { path, field: isStruct ? join(place.field, field) : place.field, struct };
      const read =
        inner === null && !isStruct && type.type === "string" ? "" : decodeAny(inner, type, below, found);
      if (read !== undefined && !(isStruct && isLeftOut(read, field, schema))) out[field] = read;
    }
  }
  return out;
}
