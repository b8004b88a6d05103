import { age } from "../kinds/age.ts";
import type { Column } from "../kinds/kind.ts";
import { at, isList, isObject, type Json } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

/** One cell of a table: what the column's path finds, ages in the short form that kubectl prints. */
export function cellOf(object: Stored, { path, type, cell }: Column, now: Date): Json {
  if (cell) return cell(object, now);
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
