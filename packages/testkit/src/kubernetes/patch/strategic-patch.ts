import { badRequest } from "../model/api-error.ts";
import { asStrings, equal, isList, isObject, omit, type Json, type JsonObject } from "../model/json.ts";
import { anything, fieldSchema, type Schema } from "../schema/schema.ts";

const directives = ["$patch", "$retainKeys"] as const;
const listDirective = /^\$(deleteFromPrimitiveList|setElementOrder)\/(.+)$/;

/**
 * A strategic merge patch: maps part by part, lists by the key that the kind's schema names, with the directives
 * `$patch: delete | replace | merge`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…`.
 */
export function strategicPatch(target: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (patch["$patch"] === "replace") return omit(patch, ...directives);
  if (patch["$patch"] === "delete") return {};
  const retained = patch["$retainKeys"] === undefined ? undefined : asStrings(patch["$retainKeys"]);
  const base = retained
    ? Object.fromEntries(Object.entries(target).filter(([field]) => retained.includes(field)))
    : target;
  const out: Record<string, Json | undefined> = { ...base };
  for (const [field, value] of Object.entries(patch)) {
    if (field === "$patch" || field === "$retainKeys" || listDirective.test(field)) continue;
    if (value === null) delete out[field];
    else if (value !== undefined)
      out[field] = patchField(out[field], value, fieldSchema(schema, field) ?? anything);
  }
  return ordered(out, patch, target, schema);
}

function patchField(target: Json | undefined, value: Json, schema: Schema): Json {
  if (isObject(value)) {
    // Even into nothing a patch is applied, so that its directives and nulls do not end up in the object.
    if (schema["x-kubernetes-patch-strategy"] === "replace") return value;
    return strategicPatch(isObject(target) ? target : {}, value, schema);
  }
  if (!isList(value)) return value;
  const strategies = schema["x-kubernetes-patch-strategy"]?.split(",") ?? [];
  if (!strategies.includes("merge")) return value;
  const current = isList(target) ? target : [];
  const key = schema["x-kubernetes-patch-merge-key"];
  if (key === undefined)
    return [...current, ...value.filter((item) => !current.some((one) => equal(one, item)))];
  const items = schema.items ?? anything;
  // A list that was not there is taken as it is: its items do not meet each other.
  if (!isList(target))
    return value.flatMap((item): readonly Json[] =>
      isObject(item) ? (item["$patch"] === undefined ? [strategicPatch({}, item, items)] : []) : [item],
    );
  return mergeByKey(current, value, { key, items });
}

type Merging = { readonly key: string; readonly items: Schema };

function mergeByKey(
  current: readonly Json[],
  patch: readonly Json[],
  { key, items }: Merging,
): readonly Json[] {
  if (patch.some((item) => isObject(item) && item["$patch"] === "replace"))
    return patch.filter((item) => !(isObject(item) && item["$patch"] === "replace"));
  let out = [...current];
  const id = (item: Json): Json => (isObject(item) ? (item[key] ?? null) : item);
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`expected a map in a list that is merged by ${key}`);
    const wanted = item[key];
    if (wanted === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const index = out.findIndex((one) => isObject(one) && equal(one[key], wanted));
    if (item["$patch"] === "delete") out = out.filter((_one, position) => position !== index);
    else if (index < 0) out.push(strategicPatch({}, item, items));
    else out[index] = strategicPatch(out[index] as JsonObject, item, items);
  }
  const order = patch.filter((item) => isObject(item) && item["$patch"] === undefined).map(id);
  return inOrder(out, order, { id, before: current });
}

/** Applies the directives that name a list from outside: what to take out of it, and its order. */
function ordered(
  object: Record<string, Json | undefined>,
  patch: JsonObject,
  target: JsonObject,
  schema: Schema,
): JsonObject {
  for (const [directive, value] of Object.entries(patch)) {
    const [, what, field = ""] = listDirective.exec(directive) ?? [];
    const list = object[field];
    if (what === undefined || !isList(list) || !isList(value)) continue;
    const key = fieldSchema(schema, field)?.["x-kubernetes-patch-merge-key"];
    const id = (item: Json): Json => (key !== undefined && isObject(item) ? (item[key] ?? null) : item);
    if (what === "deleteFromPrimitiveList")
      object[field] = list.filter((item) => !value.some((one) => equal(one, item)));
    else object[field] = inOrder(list, value.map(id), { id, before: target[field] });
  }
  return object;
}

type Ordering = { readonly id: (item: Json) => Json; readonly before: Json | undefined };

/** Items that the order names in that order; each of the others stays before what it stood before on the server. */
function inOrder(list: readonly Json[], order: readonly Json[], { id, before }: Ordering): readonly Json[] {
  const place = (all: readonly Json[], item: Json): number => all.findIndex((one) => equal(one, id(item)));
  const server = isList(before) ? before.map(id) : [];
  const named = list
    .filter((item) => place(order, item) >= 0)
    .sort((a, b) => place(order, a) - place(order, b));
  const out: Json[] = [];
  for (const other of list.filter((item) => place(order, item) < 0)) {
    const at = place(server, other);
    const goesFirst = (item: Json): boolean => !(at >= 0 && place(server, item) > at);
    while (named[0] !== undefined && goesFirst(named[0])) out.push(named.shift() as Json);
    out.push(other);
  }
  return [...out, ...named];
}
