import { isList, isObject, type Json } from "./json.ts";

/** One thing wrong with one field, in the words of the API server. */
export type FieldError = { readonly reason: string; readonly message: string; readonly field: string };

/** How the API server prints a refused value: strings quoted, objects as JSON, everything else as it is. */
export const printValue = (value: Json | undefined): string => {
  if (value === undefined) return "null";
  if (typeof value === "string" || isObject(value) || isList(value)) return JSON.stringify(value);
  return String(value);
};

export const invalid = (field: string, value: Json | undefined, detail: string): FieldError => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${printValue(value)}: ${detail}`,
  field,
});
export const required = (field: string, detail = ""): FieldError => ({
  reason: "FieldValueRequired",
  message: `Required value${detail && `: ${detail}`}`,
  field,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: "FieldValueForbidden",
  message: `Forbidden: ${detail}`,
  field,
});
export const duplicate = (field: string, value: Json): FieldError => ({
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${printValue(value)}`,
  field,
});
export const notSupported = (field: string, value: Json, supported: readonly string[]): FieldError => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${printValue(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(", ")}`,
  field,
});
export const immutable = (field: string, value: Json | undefined): FieldError =>
  invalid(field, value, "field is immutable");
