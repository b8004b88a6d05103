import { isList, isObject, type Json, type JsonObject } from "../model/json.ts";
import { anything, fieldSchema, type Schema } from "../schema/schema.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldElement, isMerged, itemElement } from "./path-elements.ts";

/** The live value with what was applied on top: maps and merged lists part by part, everything else as a whole. */
export function merge(live: Json | undefined, applied: Json | undefined, schema: Schema): Json | undefined {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  if (isObject(live) && isObject(applied) && schema["x-kubernetes-map-type"] !== "atomic") {
    const out: Record<string, Json | undefined> = { ...live };
    for (const [field, inner] of Object.entries(applied))
      out[field] = merge(live[field], inner, fieldSchema(schema, field) ?? anything);
    return out;
  }
  if (isList(live) && isList(applied) && isMerged(schema)) return mergeLists(live, applied, schema);
  return applied;
}

/**
 * Items in both stand in the order of the applied list; items of the live list only keep their place between the
 * neighbours they had.
 */
function mergeLists(live: readonly Json[], applied: readonly Json[], schema: Schema): readonly Json[] {
  const key = (item: Json): string => itemElement(item, schema);
  const liveItems = new Map(live.map((item) => [key(item), item]));
  const appliedKeys = applied.map(key);
  const wanted = new Set(appliedKeys);
  const out: Json[] = [];
  let next = 0;
  const take = (): void => {
    out.push(merge(liveItems.get(appliedKeys[next] ?? ""), applied[next], schema.items ?? {}) as Json);
    next += 1;
  };
  for (const item of live) {
    const element = key(item);
    if (!wanted.has(element)) out.push(item);
    // Of the items in both, only the one whose turn it is in the applied list draws the others along.
    else if (appliedKeys.slice(next).find((one) => liveItems.has(one)) === element) {
      while (appliedKeys[next] !== element) take();
      take();
    }
  }
  while (next < applied.length) take();
  return out;
}

/** What is left of a part of which everything was removed, when it was not removed itself. */
const emptied = (value: Json | undefined): Json | undefined => {
  if (isObject(value)) return {};
  return isList(value) ? [] : undefined;
};

/** The value without the fields of the set; undefined when nothing is left. Parts of it stay, if empty. */
export function removeFields(value: Json | undefined, set: FieldSet, schema: Schema): Json | undefined {
  if (value === undefined || set.children.size === 0) return value;
  if (isObject(value)) {
    if (schema["x-kubernetes-map-type"] === "atomic") return value;
    const out: Record<string, Json | undefined> = {};
    for (const [field, inner] of Object.entries(value)) {
      const below = set.children.get(fieldElement(field));
      if (below?.isMember) continue;
      const kept = below
        ? (removeFields(inner, below, fieldSchema(schema, field) ?? anything) ?? emptied(inner))
        : inner;
      if (kept !== undefined) out[field] = kept;
    }
    return Object.keys(out).length > 0 ? (out as JsonObject) : undefined;
  }
  if (!isList(value) || !isMerged(schema)) return value;
  const items = value.flatMap((item) => {
    const below = set.children.get(itemElement(item, schema));
    if (below?.isMember) return [];
    const kept = below ? (removeFields(item, below, schema.items ?? {}) ?? emptied(item)) : item;
    return kept === undefined ? [] : [kept];
  });
  return items.length > 0 ? items : undefined;
}
