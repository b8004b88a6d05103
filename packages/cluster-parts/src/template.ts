import { createHash } from "node:crypto";
import { Fault } from "@starform/std/fault";

export type Value = string | number | boolean;
/** What a placeholder may say: a name, or a word of this table with names after it. */
export type TemplateWords = {
  value(name: string): Value | undefined;
  /** A file beside the manifest, itself rendered. */
  file(name: string): string;
  image(name: string): string;
  /** An image's tag where only letters, digits and hyphens may stand. */
  slug(name: string): string;
};

const placeholder = /\{\{([a-z][a-z0-9_]*)((?: [A-Za-z0-9_./-]+)*)(\?)?\}\}/g;
const leftOut = Symbol("left out");

/**
 * Fills the placeholders in every text of a manifest: `{{region}}`, `{{file a.yaml}}`, `{{base64 token}}`,
 * `{{sha256 a.yaml token}}`, `{{image shuttle}}`, `{{slug shuttle}}`. A text that is one placeholder takes the value's own type;
 * the list's item, or the whole manifest, that holds `{{name?}}` is left out where there is no such value. An unknown name
 * is an error.
 */
export function fill(manifest: unknown, words: TemplateWords): unknown {
  const filled = fillNode(manifest, words);
  return filled === leftOut ? undefined : filled;
}

/** The same within a text, such as a configuration file. */
export const fillText = (text: string, words: TemplateWords): string =>
  text.replaceAll(placeholder, (_, word: string, names: string) => String(resolve(word, names, words)));

function fillNode(node: unknown, words: TemplateWords): unknown {
  if (typeof node === "string") return fillScalar(node, words);
  if (Array.isArray(node))
    return node.map((item) => fillNode(item, words)).filter((item) => item !== leftOut);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, fillNode(value, words)] as const);
  return entries.some(([, value]) => value === leftOut) ? leftOut : Object.fromEntries(entries);
}

function fillScalar(text: string, words: TemplateWords): unknown {
  const [whole] = text.matchAll(placeholder);
  if (whole?.[0] !== text) return fillText(text, words);
  const [, word = "", names = "", optional] = whole;
  if (optional && words.value(word) === undefined) return leftOut;
  return resolve(word, names, words);
}

function resolve(word: string, rest: string, words: TemplateWords): Value {
  const names = rest.trim().split(" ").filter(Boolean);
  const [name = ""] = names;
  if (names.length === 0) return known(word, words);
  if (word === "file") return words.file(name);
  if (word === "image") return words.image(name);
  if (word === "slug") return words.slug(name);
  if (word === "base64") return Buffer.from(String(known(name, words))).toString("base64");
  if (word === "sha256") {
    const hash = createHash("sha256");
    for (const each of names) hash.update(each.includes(".") ? words.file(each) : String(known(each, words)));
    return `sha256:${hash.digest("hex")}`;
  }
  throw unknown(word);
}

function known(name: string, words: TemplateWords): Value {
  const value = words.value(name);
  if (value === undefined) throw unknown(name);
  return value;
}

const unknown = (name: string): Fault =>
  new Fault("internal", `a template of deploy/cluster asks for "${name}", which nothing gives`);
