import { asMap, asObject, asObjects, asStrings, type Json } from "./json.ts";

type Labels = Readonly<Record<string, string>>;
export type Requirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "GreaterThan" | "LessThan";
  readonly values: readonly string[];
};

export function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "In") return value !== undefined && values.includes(value);
  // An object without the label is not in the set either.
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  const [limit, number] = [Number(values[0]), Number(value)];
  if (value === undefined || !Number.isInteger(number)) return false;
  return operator === "GreaterThan" ? number > limit : number < limit;
}

/** A selector inside an object: `matchLabels` and `matchExpressions`; an empty one selects everything. */
export function requirementsOf(selector: Json | undefined): readonly Requirement[] {
  const { matchLabels, matchExpressions } = asObject(selector);
  return [
    ...Object.entries(asMap(matchLabels)).map(([key, value]): Requirement => ({
      key,
      operator: "In",
      values: [value],
    })),
    ...asObjects(matchExpressions).map(({ key, operator, values }): Requirement => ({
      key: String(key),
      operator: operator as Requirement["operator"],
      values: asStrings(values),
    })),
  ];
}

export const matchesSelector = (selector: Json | undefined, labels: Labels): boolean =>
  requirementsOf(selector).every((requirement) => holds(requirement, labels));

/** A map of labels that must all be there, as a Service's selector. */
export const matchesLabels = (wanted: Labels, labels: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

const printed: Readonly<Record<string, string>> = { In: "in", NotIn: "notin" };

/** The selector as text, as a scale's status carries it: sorted by key, `app=web,tier in (a,b)`. */
export const selectorText = (selector: Json | undefined): string =>
  requirementsOf(selector)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, operator, values }) => {
      if (operator === "Exists") return key;
      if (operator === "DoesNotExist") return `!${key}`;
      if (operator === "In" && values.length === 1) return `${key}=${values[0]}`;
      return `${key} ${printed[operator]} (${values.toSorted().join(",")})`;
    })
    .join(",");
