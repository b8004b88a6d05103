import type { Schema } from "./schema.ts";

type Loose = { [field: string]: unknown };
const isLoose = (value: unknown): value is Loose => typeof value === "object" && value !== null;

const lastName = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

/** Follows every `$ref` of a set of definitions, in place; definitions may refer to each other in circles. */
export function linkSchemas(definitions: Loose): Readonly<Record<string, Schema>> {
  for (const [name, definition] of Object.entries(definitions))
    if (isLoose(definition)) definition["title"] = name;
  const merged: (() => void)[] = [];
  for (const definition of Object.values(definitions))
    if (isLoose(definition)) linkInside(definition, definitions, merged);
  for (const merge of merged) merge();
  return definitions as Readonly<Record<string, Schema>>;
}

function linkInside(node: Loose, definitions: Loose, merged: (() => void)[]): void {
  for (const [slot, child] of Object.entries(node)) {
    if (!isLoose(child) || slot === "default" || slot === "enum") continue;
    const ref = refOf(child);
    if (ref === undefined) linkInside(child, definitions, merged);
    else merged.push(() => (node[slot] = follow(child, definitions[lastName(ref)])));
  }
}

/** A reference stands alone or, when the field adds something of its own, inside `allOf`. */
function refOf(node: Loose): string | undefined {
  if (typeof node["$ref"] === "string") return node["$ref"];
  const [only] = Array.isArray(node["allOf"]) ? (node["allOf"] as Loose[]) : [];
  return typeof only?.["$ref"] === "string" ? only["$ref"] : undefined;
}

function follow(node: Loose, target: unknown): unknown {
  const { $ref: _ref, allOf: _all, ...own } = node;
  return Object.keys(own).length === 0 ? target : { ...(target as Loose), ...own };
}
