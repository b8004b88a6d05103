import { isList, isObject, type Json } from "../model/json.ts";
import { re2 } from "../model/re2.ts";
import { quantityNumber } from "../model/quantity.ts";

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  ns: 0.000_001,
};

/** A duration in milliseconds: sums of numbers with units, such as `1h30m` or `0.5s`. */
export function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)];
  if (parts.map(([all]) => all).join("") !== text.replace(/^[-+]/, "") || parts.length === 0) {
    if (text === "0") return 0;
    throw new Error(`invalid duration ${JSON.stringify(text)}`);
  }
  const sum = parts.reduce((ms, [, amount, unit]) => ms + Number(amount) * (unitMs[unit ?? ""] ?? 0), 0);
  return text.startsWith("-") ? -sum : sum;
}

const sizeOf = (value: Json | undefined): number => {
  if (typeof value === "string") return [...value].length;
  return isList(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;
};
const text = (value: Json | undefined): string => String(value ?? "");
const isUrl = (value: string): boolean => URL.canParse(value);
const ipv4 = /^(\d{1,3}\.){3}\d{1,3}$/;
const isIp = (value: string): boolean =>
  ipv4.test(value) || (value.includes(":") && URL.canParse(`http://[${value}]`));

/** Functions and methods alike; a method has its object as first argument. Unknown ones are an error in the rule. */
const functions: Readonly<Record<string, (...args: readonly (Json | undefined)[]) => Json>> = {
  size: (value) => sizeOf(value),
  matches: (value, pattern) => re2(text(pattern)).test(text(value)),
  startsWith: (value, prefix) => text(value).startsWith(text(prefix)),
  endsWith: (value, suffix) => text(value).endsWith(text(suffix)),
  contains: (value, part) => text(value).includes(text(part)),
  split: (value, by) => text(value).split(text(by)),
  lowerAscii: (value) => text(value).toLowerCase(),
  upperAscii: (value) => text(value).toUpperCase(),
  trim: (value) => text(value).trim(),
  replace: (value, from, to) => text(value).replaceAll(text(from), text(to)),
  indexOf: (value, part) => (isList(value) ? value.indexOf(part ?? null) : text(value).indexOf(text(part))),
  join: (value, by) => (isList(value) ? value.map(text).join(text(by ?? "")) : ""),
  duration: (value) => durationMs(text(value)),
  quantity: (value) => quantityNumber(text(value)),
  isQuantity: (value) => /^[-+]?[\d.]+/.test(text(value)),
  int: (value) => Math.trunc(Number(value)),
  double: (value) => Number(value),
  string: (value) => text(value),
  type: (value) => (isList(value) ? "list" : isObject(value) ? "map" : typeof value),
  isURL: (value) => isUrl(text(value)),
  isIP: (value) => isIp(text(value)),
  isCIDR: (value) => isIp(text(value).split("/")[0] ?? "") && /\/\d{1,3}$/.test(text(value)),
  isSorted: (value) =>
    isList(value) && value.every((item, index) => index === 0 || (value[index - 1] ?? "") <= (item ?? "")),
  sum: (value) => (isList(value) ? value.reduce<number>((sum, item) => sum + Number(item), 0) : 0),
  dyn: (value) => value ?? null,
};

export function callFunction(name: string, args: readonly Json[]): Json {
  const found = functions[name];
  if (!found) throw new Error(`CEL: no function ${name}`);
  return found(...args);
}
