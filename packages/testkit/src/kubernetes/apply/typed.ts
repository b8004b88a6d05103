import { ApiError } from "../model/api-error.ts";
import { isList, isObject, type Json, type JsonObject } from "../model/json.ts";
import { fieldSchema, isFree, isIntOrString, isQuantity, type Schema } from "../schema/schema.ts";
import { isMerged, itemElement, printPath } from "./path-elements.ts";

type Problems = string[];
const shortPath = (path: readonly string[]): string => printPath(path) || ".";

/** Everything in a patch that its kind's schema does not allow: the check that an apply makes before anything else. */
export function typeProblems(value: Json, schema: Schema): readonly string[] {
  const problems: Problems = [];
  visit(value, schema, [], problems);
  return problems;
}

function visit(value: Json, schema: Schema, path: readonly string[], problems: Problems): void {
  if (value === null || isFree(schema) || isIntOrString(schema) || isQuantity(schema)) return;
  if (schema.type === "object") visitObject(value, schema, path, problems);
  else if (schema.type === "array") visitList(value, schema, path, problems);
  else visitScalar(value, schema, path, problems);
}

function visitObject(value: Json, schema: Schema, path: readonly string[], problems: Problems): void {
  if (!isObject(value)) {
    problems.push(`${shortPath(path)}: expected map, got &{${printScalar(value)}}`);
    return;
  }
  for (const [field, inner] of Object.entries(value)) {
    const type = fieldSchema(schema, field);
    const here = [...path, `f:${field}`];
    if (!type) problems.push(`${shortPath(here)}: field not declared in schema`);
    else if (inner !== undefined) visit(inner, type, here, problems);
  }
}

function visitList(value: Json, schema: Schema, path: readonly string[], problems: Problems): void {
  if (!isList(value)) {
    problems.push(`${shortPath(path)}: expected list, got &{${printScalar(value)}}`);
    return;
  }
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const element = isMerged(schema) ? itemElement(item, schema) : undefined;
    if (element !== undefined && seen.has(element))
      problems.push(`${shortPath(path)}: duplicate entries for key ${printPath([element])}`);
    if (element !== undefined) seen.add(element);
    visit(item, schema.items ?? {}, [...path, element ?? `v:${index}`], problems);
  });
}

const printScalar = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

function visitScalar(value: Json, { type }: Schema, path: readonly string[], problems: Problems): void {
  const names = ([] as readonly (string | undefined)[]).concat(type as string);
  if (names.includes("string") && typeof value !== "string")
    problems.push(
      `${shortPath(path)}: expected string, got &value.valueUnstructured{Value:${printScalar(value)}}`,
    );
  if (names.includes("boolean") && typeof value !== "boolean")
    problems.push(
      `${shortPath(path)}: expected boolean, got &value.valueUnstructured{Value:${printScalar(value)}}`,
    );
  if ((names.includes("integer") || names.includes("number")) && typeof value !== "number")
    problems.push(`${shortPath(path)}: expected numeric (int or float), got ${typeof value}`);
}

/** Refuses a patch that the schema does not allow: a 500 without a reason, as the real server answers. */
export function checkTyped(patch: JsonObject, schema: Schema, what: string): void {
  const problems = typeProblems(patch, schema);
  if (problems.length === 0) return;
  const lines =
    problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  throw new ApiError(500, { message: `failed to create typed patch object (${what}): ${lines}` });
}
