import { badRequest } from "./api-error.ts";
import type { Requirement } from "./label-selector.ts";
import { labelKeyErrors, labelValueErrors } from "./names.ts";

const unable = (why: string): never => {
  throw badRequest(`unable to parse requirement: ${why}`);
};
const expected = (token: string | undefined, what: string): string =>
  `found '${token ?? ""}', expected: ${what}`;

const signs = { "!=": "NotIn", ">": "GreaterThan", "<": "LessThan", "=": "In", "==": "In" } as const;
const isIdentifier = (token: string | undefined): token is string =>
  token !== undefined && !/^(==?|!=?|[<>(),])$/.test(token);

/** What a `labelSelector` asks, read token by token as the server does. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  const tokens = text.match(/==|!=|[=!<>(),]|[^\s=!<>(),]+/g) ?? [];
  let next = 0;
  const peek = (): string | undefined => tokens[next];
  const take = (): string | undefined => tokens[next++];
  const requirements: Requirement[] = [];

  const values = (): readonly string[] => {
    if (peek() !== "(") unable(`found '${peek() ?? ""}' expected: '('`);
    take();
    const out: string[] = [];
    for (;;) {
      if (isIdentifier(peek())) out.push(String(take()));
      else if (peek() === "," || peek() === ")") out.push("");
      const after = take();
      if (after === ")") return out;
      if (after !== ",") unable(expected(after, "',' or ')'"));
      if (peek() === ")") {
        take();
        return [...out, ""];
      }
    }
  };
  const requirement = (): Requirement => {
    const isNegated = peek() === "!";
    if (isNegated) take();
    const key = take();
    if (!isIdentifier(key)) return unable(expected(key, "identifier"));
    const [wrong] = labelKeyErrors(key);
    if (wrong) unable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong}`);
    if (isNegated) return { key, operator: "DoesNotExist", values: [] };
    const sign = peek();
    if (sign === undefined || sign === ",") return { key, operator: "Exists", values: [] };
    take();
    if (sign === "in" || sign === "notin")
      return checked({ key, operator: sign === "in" ? "In" : "NotIn", values: values() });
    if (!Object.hasOwn(signs, sign)) return unable(expected(sign, "in, notin, =, ==, !=, gt, lt"));
    const value = isIdentifier(peek()) ? String(take()) : "";
    return checked({ key, operator: signs[sign as "="], values: [value] });
  };

  while (next < tokens.length) {
    const first = peek();
    if (first !== "!" && !isIdentifier(first))
      throw badRequest(expected(first, "!, identifier, or 'end of string'"));
    requirements.push(requirement());
    const after = take();
    if (after !== undefined && after !== ",") throw badRequest(expected(after, "',' or 'end of string'"));
    if (after === "," && peek() === undefined) throw badRequest("found '', expected: identifier after ','");
  }
  return requirements;
}

function checked(requirement: Requirement): Requirement {
  const { operator, values, key } = requirement;
  const isNumber = operator === "GreaterThan" || operator === "LessThan";
  for (const [at, value] of values.entries()) {
    if (isNumber && !/^-?\d+$/.test(value))
      unable(
        `values[${at}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    const [wrong] = labelValueErrors(value);
    if (wrong) unable(`values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong}`);
  }
  return requirement;
}
