import { isList, isObject, type Json } from "../model/json.ts";
import { fieldSchema, isStructField, type Schema } from "../schema/schema.ts";
import { emptySet, member, parent, type FieldSet } from "./field-set.ts";
import { fieldElement, fieldName, isMerged, itemElement } from "./path-elements.ts";

const hasNothing = (value: Json): boolean =>
  value === null || (isObject(value) && Object.values(value).every((inner) => inner === undefined));

/** The fields that an applied object names: what its manager owns from then on. */
export function setOf(value: Json | undefined, schema: Schema): FieldSet {
  if (value === undefined) return emptySet;
  if (isObject(value)) {
    if (schema["x-kubernetes-map-type"] === "atomic") return member;
    return parent(
      Object.entries(value).flatMap(([field, inner]) => {
        const type = fieldSchema(schema, field);
        if (!type || inner === undefined) return [];
        const below = setOf(inner, type);
        // Entries of a map are owned themselves; fields of a struct only when nothing is below them.
        const isOwned = hasNothing(inner) || !isStructField(schema, field);
        return [[fieldElement(field), isOwned ? { ...below, isMember: true } : below] as const];
      }),
    );
  }
  if (isList(value) && isMerged(schema)) {
    return parent(
      value.map((item) => {
        const below = setOf(item, schema.items ?? {});
        return [itemElement(item, schema), { ...below, isMember: true }] as const;
      }),
    );
  }
  return member;
}

/** The set with every struct field on the way to a member as a member itself. */
export function withNamedParents(set: FieldSet, schema: Schema | undefined): FieldSet {
  return parent(
    [...set.children].map(([element, child]) => {
      const field = fieldName(element);
      const below = schema && (field === undefined ? schema.items : fieldSchema(schema, field));
      const inner = withNamedParents(child, below);
      const isNamed = field !== undefined && schema !== undefined && isStructField(schema, field);
      const isParent = isNamed && child.children.size > 0;
      return [element, { ...inner, isMember: child.isMember || isParent }] as const;
    }),
    set.isMember,
  );
}
