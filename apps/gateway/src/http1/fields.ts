import { isFieldValue, isToken } from "./characters.ts";
import { Malformed } from "./malformed.ts";

/**
 * The header lines of a head, as three columns. `names` are in lower case, `values` without the white space around
 * them; line `i` is `text.slice(starts[i], starts[i + 1])`, its CRLF included.
 */
export type Fields = {
  readonly text: string;
  readonly names: string[];
  readonly values: string[];
  readonly starts: number[];
};

const fieldsMax = 200;

/** Reads the lines of `text` from `from` to the empty line that ends it. Folded lines, spaces before the colon and control characters are refused. */
export function parseFields(text: string, from: number): Fields {
  const fields: Fields = { text, names: [], values: [], starts: [from] };
  let at = from;
  const end = text.length - 2;
  while (at < end) {
    const lineEnd = text.indexOf("\r\n", at);
    const colon = text.indexOf(":", at);
    if (colon === -1 || colon >= lineEnd) throw new Malformed("a header line has no colon");
    if (!isToken(text, at, colon)) throw new Malformed("a header name holds a character that is not allowed");
    if (!isFieldValue(text, colon + 1, lineEnd))
      throw new Malformed("a header value holds a control character");
    if (fields.names.length === fieldsMax)
      throw new Malformed(`there are more than ${fieldsMax} header lines`, 431);
    fields.names.push(text.slice(at, colon).toLowerCase());
    fields.values.push(trimmed(text, colon + 1, lineEnd));
    at = lineEnd + 2;
    fields.starts.push(at);
  }
  return fields;
}

/** The value of a field that may occur once; `undefined` without it, Malformed with two. */
export function single({ names, values }: Fields, name: string): string | undefined {
  const at = names.indexOf(name);
  if (at === -1) return undefined;
  if (names.indexOf(name, at + 1) !== -1) throw new Malformed(`the header ${name} is there twice`);
  return values[at];
}

/** The members of a list field, over all its lines, in lower case. */
export function listOf({ names, values }: Fields, name: string): string[] {
  const members: string[] = [];
  for (let at = names.indexOf(name); at !== -1; at = names.indexOf(name, at + 1))
    for (const member of (values[at] ?? "").split(","))
      if (member.trim() !== "") members.push(member.trim().toLowerCase());
  return members;
}

/** The lines that `isDropped` does not name, as they came; lines that stay together are taken in one slice. */
export function keptLines({ text, names, starts }: Fields, isDropped: (name: string) => boolean): string {
  let kept = "";
  let runStart = starts[0] ?? 0;
  for (let at = 0; at < names.length; at++) {
    if (!isDropped(names[at] ?? "")) continue;
    const lineStart = starts[at] ?? 0;
    if (lineStart > runStart) kept += text.slice(runStart, lineStart);
    runStart = starts[at + 1] ?? 0;
  }
  return kept + text.slice(runStart, starts[names.length] ?? runStart);
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;
