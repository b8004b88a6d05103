import { equal, isList, isObject, type Json } from "../model/json.ts";
import { callFunction } from "./functions.ts";
import type { Node } from "./parse.ts";

export type Scope = ReadonlyMap<string, Json | undefined>;

/** The value of a CEL expression; throws where CEL has an error value, such as a field that is not there. */
export function evaluate(node: Node, scope: Scope): Json {
  switch (node.op) {
    case "literal":
      return node.value;
    case "name":
      return found(scope.get(node.name), node.name);
    case "select": {
      const of = evaluate(node.of, scope);
      return found(isObject(of) ? of[node.field] : undefined, node.field);
    }
    case "index": {
      const [of, index] = [evaluate(node.of, scope), evaluate(node.index, scope)];
      return found(
        isList(of) ? of[Number(index)] : isObject(of) ? of[String(index)] : undefined,
        String(index),
      );
    }
    case "list":
      return node.items.map((item) => evaluate(item, scope));
    case "map":
      return Object.fromEntries(
        node.entries.map(([key, value]) => [String(evaluate(key, scope)), evaluate(value, scope)]),
      );
    case "if":
      return evaluate(evaluate(node.test, scope) === true ? node.yes : node.no, scope);
    case "not":
      return evaluate(node.of, scope) !== true;
    case "negate":
      return -Number(evaluate(node.of, scope));
    case "binary":
      return binary(node, scope);
    case "call":
      return call(node, scope);
  }
}

function found(value: Json | undefined, name: string): Json {
  if (value === undefined) throw new Error(`no such key: ${name}`);
  return value;
}

/** `&&` and `||` do not care about an error on one side when the other side decides. */
function logic(node: Node & { op: "binary" }, scope: Scope, deciding: boolean): boolean {
  let failure: unknown;
  for (const side of [node.left, node.right]) {
    try {
      if ((evaluate(side, scope) === true) === deciding) return deciding;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

function binary(node: Node & { op: "binary" }, scope: Scope): Json {
  if (node.symbol === "&&") return logic(node, scope, false);
  if (node.symbol === "||") return logic(node, scope, true);
  const [left, right] = [evaluate(node.left, scope), evaluate(node.right, scope)];
  if (node.symbol === "==") return equal(left, right);
  if (node.symbol === "!=") return !equal(left, right);
  if (node.symbol === "in")
    return isList(right)
      ? right.some((item) => equal(item, left))
      : isObject(right) && Object.hasOwn(right, String(left));
  if (node.symbol === "+" && isList(left) && isList(right)) return [...left, ...right];
  if (node.symbol === "+" && typeof left === "string") return left + String(right);
  return arithmetic(node.symbol, left as number, right as number);
}

/** Texts compare as well, so the operands are only numbers where that matters. */
function arithmetic(symbol: string, left: number, right: number): Json {
  switch (symbol) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return Math.trunc(left / right);
    default:
      return left % right;
  }
}

function call(node: Node & { op: "call" }, scope: Scope): Json {
  const [first] = node.args;
  if (node.name === "has" && first?.op === "select") {
    const of = evaluate(first.of, scope);
    return isObject(of) && of[first.field] !== undefined;
  }
  const on = node.on && evaluate(node.on, scope);
  if (on !== undefined && first?.op === "name" && node.args.length >= 2 && (isList(on) || isObject(on))) {
    const macro = macros[node.name];
    if (macro) return macro(isList(on) ? on : Object.keys(on), stepsOf(node.args, scope));
  }
  const args = node.args.map((arg) => evaluate(arg, scope));
  return callFunction(node.name, on === undefined ? args : [on, ...args]);
}

type Steps = readonly ((item: Json) => Json)[];
const stepsOf = ([name, ...bodies]: readonly Node[], scope: Scope): Steps =>
  bodies.map(
    (body) => (item: Json) => evaluate(body, new Map(scope).set(name?.op === "name" ? name.name : "", item)),
  );

/** The comprehensions of CEL; each gets its items and its expressions as functions of one item. */
const macros: Readonly<Record<string, (items: readonly Json[], steps: Steps) => Json>> = {
  all: (items, [test]) => items.every((item) => test?.(item) === true),
  exists: (items, [test]) => items.some((item) => test?.(item) === true),
  exists_one: (items, [test]) => items.filter((item) => test?.(item) === true).length === 1,
  filter: (items, [test]) => items.filter((item) => test?.(item) === true),
  map: (items, [first, second]) =>
    second
      ? items.filter((item) => first?.(item) === true).map((item) => second(item))
      : items.map((item) => first?.(item) ?? null),
};
