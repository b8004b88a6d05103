import { invalid, notSupported, type FieldError } from "../model/field-error.ts";
import { equal, isList, type Json } from "../model/json.ts";
import { re2 } from "../model/re2.ts";
import { isIntOrString, type Schema } from "./schema.ts";

const typeName = (value: Json): string => {
  if (value === null) return "null";
  if (isList(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};

export function typeError(value: Json, schema: Schema, path: string): FieldError | undefined {
  const { type } = schema;
  if (typeof type !== "string" || isIntOrString(schema)) return undefined;
  const is = typeName(value);
  if (is === type || (type === "number" && is === "integer")) return undefined;
  return {
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: "${is}": ${path} in body must be of type ${type}: "${is}"`,
    field: path,
  };
}

export function scalarErrors(value: Json, schema: Schema, path: string): readonly FieldError[] {
  const bad = (text: string): FieldError => invalid(path, value, `${path} in body ${text}`);
  const errors: FieldError[] = [];
  if (schema.enum && !schema.enum.some((one) => equal(one, value)))
    errors.push(notSupported(path, value, schema.enum.map(String)));
  if (typeof value === "string") {
    const { minLength, maxLength, pattern } = schema;
    if (maxLength !== undefined && value.length > maxLength)
      errors.push({
        reason: "FieldValueTooLong",
        message: `Too long: may not be more than ${maxLength} bytes`,
        field: path,
      });
    if (minLength !== undefined && value.length < minLength)
      errors.push(bad(`should be at least ${minLength} chars long`));
    if (pattern !== undefined && !re2(pattern).test(value)) errors.push(bad(`should match '${pattern}'`));
  }
  if (typeof value === "number") {
    if (schema.maximum !== undefined && value > schema.maximum)
      errors.push(bad(`should be less than or equal to ${schema.maximum}`));
    if (schema.minimum !== undefined && value < schema.minimum)
      errors.push(bad(`should be greater than or equal to ${schema.minimum}`));
  }
  return errors;
}
