import { equal, isList, isObject, type Json } from "../model/json.ts";
import { anything, fieldSchema, type Schema } from "../schema/schema.ts";
import { emptySet, isEmpty, node, type FieldSet } from "./field-set.ts";
import { fieldElement, isMerged, itemElement } from "./path-elements.ts";

/** What one version of an object has more, less, or otherwise than another. */
export type Comparison = {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
};

type Sides = { readonly before: Json | undefined; readonly after: Json | undefined };

export const noChange: Comparison = { added: emptySet, removed: emptySet, modified: emptySet };

/** Compares field by field, merged lists item by item, everything else as one value. */
export function compare(before: Json | undefined, after: Json | undefined, schema: Schema): Comparison {
  if (before === after) return noChange;
  const [wasTree, isTreeNow] = [isTree(before, schema), isTree(after, schema)];
  if (before !== undefined && after !== undefined && !wasTree && !isTreeNow)
    return equal(before, after) ? noChange : { ...noChange, modified: node(true, none) };
  const isOther = wasTree !== isTreeNow && before !== null && after !== null;
  return together(childrenOf({ before, after }, schema), {
    isAdded: before === undefined,
    isRemoved: after === undefined,
    isModified: before !== undefined && after !== undefined && isOther,
  });
}

const none: ReadonlyMap<string, FieldSet> = new Map();

const isTree = (value: Json | undefined, schema: Schema): boolean =>
  (isObject(value) && schema["x-kubernetes-map-type"] !== "atomic") || (isList(value) && isMerged(schema));

function childrenOf({ before, after }: Sides, schema: Schema): ReadonlyMap<string, Comparison> {
  const children = new Map<string, Comparison>();
  const add = (element: string, comparison: Comparison): void => {
    if (comparison !== noChange) children.set(element, comparison);
  };
  if ((isObject(before) || isObject(after)) && schema["x-kubernetes-map-type"] !== "atomic") {
    const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
    const type = (field: string) => fieldSchema(schema, field) ?? anything;
    for (const field in old) add(fieldElement(field), compare(old[field], now[field], type(field)));
    for (const field in now)
      if (old[field] === undefined) add(fieldElement(field), compare(undefined, now[field], type(field)));
  }
  if ((isList(before) || isList(after)) && isMerged(schema)) {
    const [old, now] = [itemsOf(before, schema), itemsOf(after, schema)];
    const items = schema.items ?? anything;
    for (const [element, item] of old) add(element, compare(item, now.get(element), items));
    for (const [element, item] of now) if (!old.has(element)) add(element, compare(undefined, item, items));
  }
  return children;
}

const itemsOf = (list: Json | undefined, schema: Schema): ReadonlyMap<string, Json> =>
  new Map((isList(list) ? list : []).map((item) => [itemElement(item, schema), item]));

type Own = { readonly isAdded: boolean; readonly isRemoved: boolean; readonly isModified: boolean };

/** What is below and what is true of the value itself, as one. */
function together(
  children: ReadonlyMap<string, Comparison>,
  { isAdded, isRemoved, isModified }: Own,
): Comparison {
  const part = (name: keyof Comparison, isOwn: boolean): FieldSet => {
    const inside = new Map<string, FieldSet>();
    for (const [element, child] of children) if (!isEmpty(child[name])) inside.set(element, child[name]);
    return node(isOwn, inside);
  };
  const whole = {
    added: part("added", isAdded),
    removed: part("removed", isRemoved),
    modified: part("modified", isModified),
  };
  return Object.values(whole).every(isEmpty) ? noChange : whole;
}
