import { lex, type Token } from "./lex.ts";

export type Node =
  | { readonly op: "literal"; readonly value: string | number | boolean | null }
  | { readonly op: "name"; readonly name: string }
  | { readonly op: "select"; readonly of: Node; readonly field: string }
  | { readonly op: "index"; readonly of: Node; readonly index: Node }
  | {
      readonly op: "call";
      readonly on: Node | undefined;
      readonly name: string;
      readonly args: readonly Node[];
    }
  | { readonly op: "list"; readonly items: readonly Node[] }
  | { readonly op: "map"; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly op: "if"; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly op: "not" | "negate"; readonly of: Node }
  | { readonly op: "binary"; readonly symbol: string; readonly left: Node; readonly right: Node };

/** Binary operators from the loosest to the tightest. */
const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];
const constants: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };
/** Words of the language are written with underscores around them when a field is called so. */
const plainName = (name: string): string => name.replace(/^__(\w+?)__$/, "$1");

export function parse(source: string): Node {
  const tokens = lex(source);
  let position = 0;
  const peek = (): Token => tokens[position] ?? { type: "end", text: "" };
  const take = (): Token => {
    const token = peek();
    position += 1;
    return token;
  };
  const isNext = (text: string): boolean => peek().text === text && peek().type !== "string";
  const accept = (text: string): boolean => {
    const found = isNext(text);
    if (found) position += 1;
    return found;
  };
  const expect = (text: string): void => {
    if (!accept(text))
      throw new Error(`CEL: ${text} expected, found ${JSON.stringify(peek().text)} in ${source}`);
  };

  const expression = (): Node => {
    const test = binary(0);
    if (!accept("?")) return test;
    const yes = expression();
    expect(":");
    return { op: "if", test, yes, no: expression() };
  };
  const binary = (level: number): Node => {
    const symbols = levels[level];
    if (!symbols) return unary();
    let left = binary(level + 1);
    while (symbols.some(isNext)) left = { op: "binary", symbol: take().text, left, right: binary(level + 1) };
    return left;
  };
  const unary = (): Node => {
    if (accept("!")) return { op: "not", of: unary() };
    if (accept("-")) return { op: "negate", of: unary() };
    return suffixes(primary());
  };
  const suffixes = (of: Node): Node => {
    if (accept(".")) {
      const name = plainName(take().text);
      return suffixes(
        accept("(") ? { op: "call", on: of, name, args: listUntil(")") } : { op: "select", of, field: name },
      );
    }
    if (!accept("[")) return of;
    const index = expression();
    expect("]");
    return suffixes({ op: "index", of, index });
  };
  const listUntil = (end: string): readonly Node[] => {
    const items: Node[] = [];
    while (!accept(end)) {
      items.push(expression());
      if (!isNext(end)) expect(",");
    }
    return items;
  };
  const mapEntries = (): readonly (readonly [Node, Node])[] => {
    const entries: (readonly [Node, Node])[] = [];
    while (!accept("}")) {
      const key = expression();
      expect(":");
      entries.push([key, expression()]);
      if (!isNext("}")) expect(",");
    }
    return entries;
  };
  const primary = (): Node => {
    const token = take();
    if (token.type === "number") return { op: "literal", value: Number.parseFloat(token.text) };
    if (token.type === "string") return { op: "literal", value: token.text };
    if (token.type === "name") {
      if (Object.hasOwn(constants, token.text))
        return { op: "literal", value: constants[token.text] ?? null };
      return accept("(")
        ? { op: "call", on: undefined, name: token.text, args: listUntil(")") }
        : { op: "name", name: token.text };
    }
    if (token.text === "[") return { op: "list", items: listUntil("]") };
    if (token.text === "{") return { op: "map", entries: mapEntries() };
    if (token.text !== "(") throw new Error(`CEL: unexpected ${JSON.stringify(token.text)} in ${source}`);
    const inner = expression();
    expect(")");
    return inner;
  };

  const whole = expression();
  if (peek().type !== "end") throw new Error(`CEL: ${JSON.stringify(peek().text)} left over in ${source}`);
  return whole;
}
