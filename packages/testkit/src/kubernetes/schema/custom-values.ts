import { duplicate, invalid, required, type FieldError } from "../model/field-error.ts";
import { isList, isObject, type Json, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { canonicalJson } from "../apply/path-elements.ts";
import { scalarErrors, typeError } from "./scalar-values.ts";
import { ruleErrors } from "./custom-rules.ts";
import { fieldSchema, isFree, isIntOrString, type Schema } from "./schema.ts";

/** Errors after which rules make no sense any more. */
const blocking = [
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
];
const unchecked: FieldError = {
  reason: "FieldValueInvalid",
  message:
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
  field: "<nil>",
};

/** All that a custom object's schema and rules have against it. */
export function customErrors(object: Stored, schema: Schema): readonly FieldError[] {
  const errors = valueErrors(object, schema, "");
  if (errors.some(({ reason }) => blocking.includes(reason))) return [...errors, unchecked];
  return [...errors, ...ruleErrors(object, undefined, schema)];
}

const join = (path: string, field: string): string => (path ? `${path}.${field}` : field);

export function valueErrors(value: Json, schema: Schema, path: string): readonly FieldError[] {
  if (value === null && schema.nullable) return [];
  const mismatch = typeError(value, schema, path);
  if (mismatch) return [mismatch];
  return [
    ...scalarErrors(value, schema, path),
    ...listErrors(value, schema, path),
    ...fieldErrors(value, schema, path),
    ...combined(value, schema, path),
  ];
}

function listErrors(value: Json, schema: Schema, path: string): readonly FieldError[] {
  if (!isList(value)) return [];
  const { minItems, maxItems, items = {} } = schema;
  const inside = value.flatMap((item, index) => valueErrors(item, items, `${path}[${index}]`));
  const errors: FieldError[] = [];
  if (maxItems !== undefined && value.length > maxItems)
    errors.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
      field: path,
    });
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  return [...errors, ...inside, ...repeated(value, schema, path)];
}

/** Items of sets and of map lists are told apart by themselves or by their keys. */
function repeated(value: readonly Json[], schema: Schema, path: string): readonly FieldError[] {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] !== "set" && !keys) return [];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const id = keys ? Object.fromEntries(keys.map((key) => [key, (item as JsonObject)[key]])) : item;
    const text = canonicalJson(id);
    const errors = seen.has(text) ? [duplicate(`${path}[${index}]`, id)] : [];
    seen.add(text);
    return errors;
  });
}

function fieldErrors(value: Json, schema: Schema, path: string): readonly FieldError[] {
  if (!isObject(value)) return [];
  const missing = (schema.required ?? []).filter((field) => value[field] === undefined);
  const count = Object.keys(value).length;
  const tooMany = schema.maxProperties !== undefined && count > schema.maxProperties;
  const tooFew = schema.minProperties !== undefined && count < schema.minProperties;
  return [
    ...missing.map((field) => required(join(path, field))),
    ...(tooMany
      ? [
          {
            reason: "FieldValueTooMany",
            message: `Too many: ${count}: must have at most ${schema.maxProperties} items`,
            field: path,
          },
        ]
      : []),
    ...(tooFew
      ? [invalid(path, count, `${path} in body should have at least ${schema.minProperties} properties`)]
      : []),
    ...(isFree(schema) ? [] : Object.keys(value).sort()).flatMap((field) => {
      const [type, inner] = [fieldSchema(schema, field), value[field]];
      return type && inner !== undefined && join(path, field) !== "metadata"
        ? valueErrors(inner, type, join(path, field))
        : [];
    }),
  ];
}

/** `allOf`, `anyOf`, `oneOf` and `not`, as far as definitions may use them. */
function combined(value: Json, schema: Schema, path: string): readonly FieldError[] {
  const holds = (one: Schema): boolean => valueErrors(value, { ...one }, path).length === 0;
  const fails = (text: string): readonly FieldError[] => [invalid(path, value, `${path} in body ${text}`)];
  if (schema.anyOf && !isIntOrString(schema) && !schema.anyOf.some(holds))
    return fails("must validate at least one schema (anyOf)");
  if (schema.oneOf && schema.oneOf.filter(holds).length !== 1)
    return fails("must validate one and only one schema (oneOf)");
  if (schema.not && holds(schema.not)) return fails("must not validate the schema (not)");
  return (schema.allOf ?? []).flatMap((one) => valueErrors(value, one, path));
}
