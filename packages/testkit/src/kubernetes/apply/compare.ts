import { equal, isList, isObject, type Json } from "../model/json.ts";
import { anything, fieldSchema, type Schema } from "../schema/schema.ts";
import { emptySet, parent, union, type FieldSet } from "./field-set.ts";
import { fieldElement, isMerged, itemElement } from "./path-elements.ts";

/** What one version of an object has more, less, or otherwise than another. */
export type Comparison = {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
};

type Sides = { readonly before: Json | undefined; readonly after: Json | undefined };
type Sink = (path: readonly string[], what: keyof Comparison) => void;

export function compare(before: Json | undefined, after: Json | undefined, schema: Schema): Comparison {
  const paths: Record<keyof Comparison, (readonly string[])[]> = { added: [], removed: [], modified: [] };
  walk({ before, after }, schema, [], (path, what) => paths[what].push(path));
  return {
    added: treeOf(paths.added),
    removed: treeOf(paths.removed),
    modified: treeOf(paths.modified),
  };
}

function treeOf(paths: readonly (readonly string[])[], depth = 0): FieldSet {
  const groups = new Map<string, (readonly string[])[]>();
  let isMember = false;
  for (const path of paths) {
    const element = path[depth];
    if (element === undefined) isMember = true;
    else groups.set(element, [...(groups.get(element) ?? []), path]);
  }
  return parent(
    [...groups].map(([element, inner]) => [element, treeOf(inner, depth + 1)] as const),
    isMember,
  );
}

const isTree = (value: Json | undefined, schema: Schema): boolean =>
  (isObject(value) && schema["x-kubernetes-map-type"] !== "atomic") || (isList(value) && isMerged(schema));

function walk({ before, after }: Sides, schema: Schema, path: readonly string[], sink: Sink): void {
  if (before === after) return;
  const [wasTree, isTreeNow] = [isTree(before, schema), isTree(after, schema)];
  if (before !== undefined && after !== undefined && !wasTree && !isTreeNow) {
    if (!equal(before, after)) sink(path, "modified");
    return;
  }
  if (isObject(before) || isObject(after)) walkFields({ before, after }, schema, path, sink);
  if (isList(before) || isList(after)) walkItems({ before, after }, schema, path, sink);
  if (before === undefined) sink(path, "added");
  else if (after === undefined) sink(path, "removed");
  else if (wasTree !== isTreeNow && !(before === null || after === null)) sink(path, "modified");
}

function walkFields({ before, after }: Sides, schema: Schema, path: readonly string[], sink: Sink): void {
  if (schema["x-kubernetes-map-type"] === "atomic") return;
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  for (const field of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const type = fieldSchema(schema, field) ?? anything;
    walk({ before: old[field], after: now[field] }, type, [...path, fieldElement(field)], sink);
  }
}

function walkItems({ before, after }: Sides, schema: Schema, path: readonly string[], sink: Sink): void {
  if (!isMerged(schema)) return;
  const index = (list: Json | undefined) =>
    new Map((isList(list) ? list : []).map((item) => [itemElement(item, schema), item]));
  const [old, now] = [index(before), index(after)];
  for (const element of new Set([...old.keys(), ...now.keys()]))
    walk({ before: old.get(element), after: now.get(element) }, schema.items ?? {}, [...path, element], sink);
}

/** Everything that is not as before. */
export const changedIn = ({ added, removed, modified }: Comparison): FieldSet =>
  union(union(added, modified), removed);

export const noChange: Comparison = { added: emptySet, removed: emptySet, modified: emptySet };
