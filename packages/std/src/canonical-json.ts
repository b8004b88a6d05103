import { createHash } from "node:crypto";

/** JSON with sorted keys and no spaces: the same value always gives the same text. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return Array.isArray(value) ? ofArray(value) : ofObject(value as Readonly<Record<string, unknown>>);
}

// Loops, because manifests of thousands of services go through here.
function ofArray(items: readonly unknown[]): string {
  let text = "";
  for (const item of items) text += `${text && ","}${canonicalJson(item ?? null)}`;
  return `[${text}]`;
}
function ofObject(object: Readonly<Record<string, unknown>>): string {
  let text = "";
  for (const key of Object.keys(object).sort()) {
    const value = object[key];
    if (value !== undefined) text += `${text && ","}${JSON.stringify(key)}:${canonicalJson(value)}`;
  }
  return `{${text}}`;
}

/** `sha256:<hex>` of the canonical JSON of a value. */
export const digestOf = (value: unknown): string =>
  `sha256:${createHash("sha256").update(canonicalJson(value)).digest("hex")}`;
