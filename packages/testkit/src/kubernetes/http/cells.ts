import type { Column } from "../kinds/kind.ts";
import { at, isList, isObject, type Json } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

/** One cell of a table: what the column's path finds, ages in the short form that kubectl prints. */
export function cellOf(object: Stored, { path, type }: Column, now: Date): Json {
  const found = find(object, path);
  if (type === "date") return typeof found === "string" ? age(new Date(found), now) : "<unknown>";
  if (found === undefined || found === null) return type === "string" ? "<none>" : null;
  return isList(found) || isObject(found) ? JSON.stringify(found) : found;
}

/** Follows the part of JSONPath that columns use: fields, indexes, `[*]` and `[?(@.type=="X")]`. */
function find(object: Json, path: string): Json | undefined {
  const steps =
    path.match(/\.[\w-]+|\['[^']+'\]|\[\d+\]|\[\*\]|\[\?\(@\.\w+==(?:"|')[^"']*(?:"|')\)\]/g) ?? [];
  let here: Json | undefined = object;
  for (const step of steps) {
    const [, field, value] = /^\[\?\(@\.(\w+)==["']([^"']*)["']\)\]$/.exec(step) ?? [];
    if (field !== undefined) here = isList(here) ? here.find((item) => at(item, field) === value) : undefined;
    else if (step === "[*]") continue;
    else if (/^\[\d+\]$/.test(step)) here = isList(here) ? here[Number(step.slice(1, -1))] : undefined;
    else here = at(here, step.startsWith("['") ? step.slice(2, -2) : step.slice(1));
  }
  return here;
}

export function age(since: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 10 * 60) return `${Math.floor(seconds / 60)}m${seconds % 60 ? `${seconds % 60}s` : ""}`;
  if (seconds < 3 * 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
