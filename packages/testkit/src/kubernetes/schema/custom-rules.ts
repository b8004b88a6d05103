import { evaluate, type Scope } from "../cel/evaluate.ts";
import { parse, type Node } from "../cel/parse.ts";
import { printValue, type FieldError } from "../model/field-error.ts";
import { isList, isObject, type Json } from "../model/json.ts";
import { itemElement } from "../apply/path-elements.ts";
import { fieldSchema, type CelRule, type Schema } from "./schema.ts";

const parsed = new Map<string, Node>();
const nodeOf = (rule: string): Node => {
  const node = parsed.get(rule) ?? parse(rule);
  parsed.set(rule, node);
  return node;
};
const isTransition = (rule: CelRule): boolean => /\boldSelf\b/.test(rule.rule);

/**
 * What the rules of a custom object (`x-kubernetes-validations`) have against it. Without an old version the rules
 * about the object alone are asked; with one only those about the change.
 */
export function ruleErrors(object: Json, old: Json | undefined, schema: Schema): readonly FieldError[] {
  return visit({ value: object, old, isChange: old !== undefined }, schema, "");
}

type Pair = { readonly value: Json; readonly old: Json | undefined; readonly isChange: boolean };

function visit(pair: Pair, schema: Schema, path: string): readonly FieldError[] {
  const { value, old, isChange } = pair;
  if (isChange && old === undefined) return [];
  const own = (schema["x-kubernetes-validations"] ?? [])
    .filter((rule) => isTransition(rule) === isChange)
    .flatMap((rule) =>
      check(
        rule,
        new Map([
          ["self", value],
          ["oldSelf", old ?? null],
        ]),
        { value, path },
      ),
    );
  if (isList(value) && schema.items) {
    const items = schema.items;
    const inner = value.flatMap((item, index) =>
      visit({ value: item, old: counterpart(item, old, schema), isChange }, items, `${path}[${index}]`),
    );
    return [...own, ...inner];
  }
  if (!isObject(value)) return own;
  const inner = Object.keys(value)
    .sort()
    .flatMap((field) => {
      const [type, below] = [fieldSchema(schema, field), value[field]];
      if (!type || below === undefined || (path === "" && field === "metadata")) return [];
      const before = isObject(old) ? old[field] : undefined;
      return visit({ value: below, old: before, isChange }, type, path ? `${path}.${field}` : field);
    });
  return [...own, ...inner];
}

/** The item of the old list that this one was: only map lists can tell. */
function counterpart(item: Json, old: Json | undefined, schema: Schema): Json | undefined {
  if (!isList(old) || schema["x-kubernetes-list-type"] !== "map") return undefined;
  const element = itemElement(item, schema);
  return old.find((one) => itemElement(one, schema) === element);
}

function check(
  rule: CelRule,
  scope: Scope,
  { value, path }: { value: Json; path: string },
): readonly FieldError[] {
  const message = failure(rule, scope, value);
  if (message === undefined) return [];
  const shown = isObject(value) || isList(value) ? "" : `${printValue(value)}: `;
  const field = `${path}${rule.fieldPath ?? ""}`;
  if (rule.reason === "FieldValueRequired")
    return [{ reason: rule.reason, message: `Required value: ${message}`, field }];
  if (rule.reason === "FieldValueForbidden")
    return [{ reason: rule.reason, message: `Forbidden: ${message}`, field }];
  return [{ reason: "FieldValueInvalid", message: `Invalid value: ${shown}${message}`, field }];
}

function failure(rule: CelRule, scope: Scope, value: Json): string | undefined {
  try {
    if (evaluate(nodeOf(rule.rule), scope) === true) return undefined;
  } catch (error) {
    if ((error as Error).message.startsWith("CEL:")) throw error;
    const type = isList(value) ? "array" : typeof value;
    return `"${type}": ${(error as Error).message} evaluating rule: ${rule.message ?? rule.rule}`;
  }
  if (rule.message) return rule.message;
  if (rule.messageExpression) return String(evaluate(nodeOf(rule.messageExpression), scope));
  return `failed rule: ${rule.rule}`;
}
