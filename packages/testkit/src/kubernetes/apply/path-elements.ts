import { isObject, type Json, type JsonObject } from "../model/json.ts";
import type { Schema } from "../schema/schema.ts";

export const fieldElement = (name: string): string => `f:${name}`;
export const fieldName = (element: string): string | undefined =>
  element.startsWith("f:") ? element.slice(2) : undefined;

/** JSON with its fields in order, so that equal values have one notation. */
export const canonicalJson = (value: Json | undefined): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
  return `{${fields.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(",")}}`;
};

/** Whether the list is merged item by item; every other list is one value. */
export const isMerged = (schema: Schema): boolean =>
  schema["x-kubernetes-list-type"] === "map" || schema["x-kubernetes-list-type"] === "set";

/** What tells an item of a merged list from the others: its keys, with defaults for the ones left out, or itself. */
export function itemElement(item: Json, schema: Schema): string {
  if (schema["x-kubernetes-list-type"] === "set") return `v:${canonicalJson(item)}`;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const object = isObject(item) ? item : {};
  const named: Record<string, Json> = {};
  for (const key of keys) {
    const value = object[key] ?? schema.items?.properties?.[key]?.default;
    if (value !== undefined) named[key] = value;
  }
  return `k:${canonicalJson(named)}`;
}

/** The path as messages show it: `.spec.containers[name="main"].image`. */
export const printPath = (path: readonly string[]): string =>
  path
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith("f:")) return `.${rest}`;
      if (element.startsWith("v:")) return `[=${rest}]`;
      const keys = Object.entries(JSON.parse(rest) as JsonObject);
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
    })
    .join("");
