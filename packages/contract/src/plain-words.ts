import { z } from "zod";

/** Of zod's names for types. */
const names: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  date: "a date",
};
const formats: Readonly<Record<string, string>> = {
  uuid: "must be an id (a UUID)",
  email: "must be an e-mail address",
  url: "must be an address (https://…)",
  datetime: "must be a time, as 2026-01-31T12:00:00Z",
};

/**
 * What is wrong with a value, for a person who knows no schema. Undefined for what is rare: zod's own words then stand,
 * as do those that a schema brings itself.
 */
export function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    const what = names[issue.expected];
    if (issue.input === undefined) return "is missing";
    return what && `must be ${what}${isNone(issue.input) ? "" : `, and is ${kindOf(issue.input)}`}`;
  }
  if (issue.code === "too_small") return bound(issue.origin, Number(issue.minimum), "at least");
  if (issue.code === "too_big") return bound(issue.origin, Number(issue.maximum), "at most");
  if (issue.code === "invalid_value") return `must be ${listed(issue.values.map(String))}`;
  if (issue.code === "unrecognized_keys") return `may not hold ${issue.keys.join(", ")}`;
  return issue.code === "invalid_format" ? formats[issue.format] : undefined;
}

function bound(origin: string, limit: number, which: "at least" | "at most"): string | undefined {
  if (which === "at least" && limit === 1 && origin !== "number") return "must not be empty";
  const many = limit === 1 ? "" : "s";
  if (origin === "string") return `must have ${which} ${limit.toLocaleString("en")} character${many}`;
  if (origin === "array") return `must hold ${which} ${limit.toLocaleString("en")} item${many}`;
  return origin === "number" || origin === "int"
    ? `must be ${which} ${limit.toLocaleString("en")}`
    : undefined;
}

/** What was read as a number and is none: `?limit=abc`. */
const isNone = (value: unknown): boolean => typeof value === "number" && !Number.isFinite(value);

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return names[typeof value] ?? `a ${typeof value}`;
}

const listed = (values: readonly string[]): string =>
  values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;

z.config({ customError: plainWords });
