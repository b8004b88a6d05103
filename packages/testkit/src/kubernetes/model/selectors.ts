import { badRequest } from "./api-error.ts";
import { holds, type Requirement } from "./label-selector.ts";
import { at, type Json } from "./json.ts";
import type { Stored } from "./object.ts";

export type Matcher = (object: Stored) => boolean;

const unable = (text: string, why: string): never => {
  throw badRequest(`unable to parse requirement: ${why} in ${JSON.stringify(text)}`);
};

/** Splits at commas outside of parentheses. */
const partsOf = (text: string): readonly string[] =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);

function requirement(part: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
  if (set) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values };
  }
  const equality = /^([^\s=!<>]+)\s*(==|=|!=|>|<)\s*([^\s=!<>]*)$/.exec(part);
  if (equality) {
    const [, key = "", sign = "", value = ""] = equality;
    const operators = { "!=": "NotIn", ">": "GreaterThan", "<": "LessThan" } as const;
    return { key, operator: operators[sign as "!="] ?? "In", values: [value] };
  }
  const existence = /^(!?)\s*([^\s=!<>()]+)$/.exec(part);
  if (!existence) return unable(part, "found unexpected text");
  return { key: existence[2] ?? "", operator: existence[1] ? "DoesNotExist" : "Exists", values: [] };
}

/** What `labelSelector` says, as a test of an object. */
export function labelMatcher(text: string | null): Matcher {
  const requirements = partsOf(text ?? "").map(requirement);
  if (requirements.length === 0) return () => true;
  return ({ metadata }) => requirements.every((one) => holds(one, metadata.labels ?? {}));
}

const fieldText = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : String(value);

/** What `fieldSelector` says; fields that the kind does not offer are refused. */
export function fieldMatcher(text: string | null, offered: readonly string[]): Matcher {
  const conditions = partsOf(text ?? "").map((part) => {
    const [, path = "", sign = "", value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    if (!sign)
      throw badRequest(`invalid selector: ${JSON.stringify(text)}; can't understand ${JSON.stringify(part)}`);
    if (!["metadata.name", "metadata.namespace", ...offered].includes(path))
      throw badRequest(`field label not supported: ${path}`);
    return { path: path.split("."), isEqual: sign !== "!=", value };
  });
  if (conditions.length === 0) return () => true;
  return (object) =>
    conditions.every(({ path, isEqual, value }) => (fieldText(at(object, ...path)) === value) === isEqual);
}
