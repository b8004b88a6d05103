/** JSON as the store keeps it: never changed in place, so that versions of an object can share what did not change. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [field: string]: Json | undefined };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** The value at a path of field names, or undefined when something on the way is missing. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const step of path) here = isObject(here) ? here[step] : undefined;
  return here;
}

/** The object with the value at the path; what is missing on the way is made, undefined takes the field away. */
export function put<T extends JsonObject>(object: T, path: readonly string[], value: Json | undefined): T {
  const [field, ...rest] = path;
  if (field === undefined) return object;
  const inner = object[field];
  const next = rest.length === 0 ? value : put<JsonObject>(isObject(inner) ? inner : {}, rest, value);
  if (next === undefined) return omit(object, field);
  return { ...object, [field]: next };
}

export function omit<T extends JsonObject>(object: T, ...fields: readonly string[]): T {
  if (!fields.some((field) => Object.hasOwn(object, field))) return object;
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field))) as T;
}

/** The object with the fields that it does not have yet; a null counts as missing. */
export function withDefaults<T extends JsonObject>(object: T, defaults: JsonObject): T {
  const missing = Object.entries(defaults).filter(
    ([field, value]) => value !== undefined && (object[field] === undefined || object[field] === null),
  );
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** Equal as JSON: order of fields does not matter, a missing field equals undefined. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  for (const field in a) if (!equal(a[field], b[field])) return false;
  for (const field in b) if (b[field] !== undefined && a[field] === undefined) return false;
  return true;
}

export const asStrings = (value: Json | undefined): readonly string[] =>
  isList(value) ? value.filter((item) => typeof item === "string") : [];
export const asObjects = (value: Json | undefined): readonly JsonObject[] =>
  isList(value) ? value.filter(isObject) : [];
export const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
export const asMap = (value: Json | undefined): Readonly<Record<string, string>> =>
  asObject(value) as Readonly<Record<string, string>>;
