import type { JsonObject } from "../model/json.ts";

/**
 * A set of fields of an object, as a tree of path elements in the notation of `fieldsV1`: `f:<field>`,
 * `k:<keys as JSON>` for an item of a map list, `v:<value as JSON>` for an item of a set. A node that is a member is
 * itself in the set; its children may be as well.
 */
export type FieldSet = { readonly isMember: boolean; readonly children: ReadonlyMap<string, FieldSet> };

const none: ReadonlyMap<string, FieldSet> = new Map();
export const emptySet: FieldSet = { isMember: false, children: none };
export const member: FieldSet = { isMember: true, children: none };

export const isEmpty = ({ isMember, children }: FieldSet): boolean => !isMember && children.size === 0;

/** A node, or the empty one when nothing is in it. */
export const node = (isMember: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet =>
  !isMember && children.size === 0 ? emptySet : { isMember, children };

/** The tree made of children, where empty ones are left out. */
export const parent = (children: Iterable<readonly [string, FieldSet]>, isMember = false): FieldSet =>
  node(isMember, new Map([...children].filter(([, child]) => !isEmpty(child))));

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || a === b) return b;
  if (isEmpty(b)) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const mine = children.get(element);
    children.set(element, mine ? union(mine, child) : child);
  }
  return node(a.isMember || b.isMember, children);
}

/** Fields of `a` that are not in `b`; a parent in `b` does not take its children away. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return parent(
    [...a.children].map(([element, child]) => {
      const other = b.children.get(element);
      return [element, other ? difference(child, other) : child] as const;
    }),
    a.isMember && !b.isMember,
  );
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return emptySet;
  return parent(
    [...a.children].flatMap(([element, child]) => {
      const other = b.children.get(element);
      return other ? [[element, intersection(child, other)] as const] : [];
    }),
    a.isMember && b.isMember,
  );
}

/** Fields of `a` that are neither in `b` nor below a field of `b`. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  if (b.isMember) return emptySet;
  return parent(
    [...a.children].map(([element, child]) => {
      const other = b.children.get(element);
      return [element, other ? without(child, other) : child] as const;
    }),
    a.isMember,
  );
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.isMember !== b.isMember || a.children.size !== b.children.size) return false;
  return [...a.children].every(([element, child]) => {
    const other = b.children.get(element);
    return other !== undefined && sameSet(child, other);
  });
}

/** The set with one more path in it. */
export function insert(set: FieldSet, path: readonly string[]): FieldSet {
  return union(
    set,
    path.reduceRight<FieldSet>((child, element) => node(false, new Map([[element, child]])), member),
  );
}

/** Every path in the set: those of one level first, by their names, then what is below them. */
export function pathsOf(set: FieldSet, above: readonly string[] = []): readonly (readonly string[])[] {
  const children = [...set.children].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const here = children.filter(([, { isMember }]) => isMember).map(([element]) => [...above, element]);
  return [...here, ...children.flatMap(([element, child]) => pathsOf(child, [...above, element]))];
}

/** Sets do not change, and most fields of an object keep their owners from one version to the next: both notations are kept. */
const written = new WeakMap<FieldSet, JsonObject>();
const read = new WeakMap<JsonObject, FieldSet>();

export function toFieldsV1(set: FieldSet): JsonObject {
  const known = written.get(set);
  if (known) return known;
  const fields = writeFields(set);
  written.set(set, fields);
  read.set(fields, set);
  return fields;
}

export function fromFieldsV1(fields: JsonObject): FieldSet {
  const known = read.get(fields);
  if (known) return known;
  const set = readFields(fields, true);
  read.set(fields, set);
  written.set(set, fields);
  return set;
}

function writeFields({ isMember, children }: FieldSet): JsonObject {
  const out: Record<string, JsonObject> = isMember && children.size > 0 ? { ".": {} } : {};
  for (const element of [...children.keys()].sort())
    out[element] = writeFields(children.get(element) ?? emptySet);
  return out;
}

function readFields(fields: JsonObject, isRoot: boolean): FieldSet {
  const elements = Object.keys(fields);
  const children = new Map<string, FieldSet>();
  for (const element of elements)
    if (element !== ".") children.set(element, readFields(fields[element] as JsonObject, false));
  return node(Object.hasOwn(fields, ".") || (elements.length === 0 && !isRoot), children);
}
