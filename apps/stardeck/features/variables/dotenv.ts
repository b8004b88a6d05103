import { VariableName } from "@starform/contract/names";

export type Parsed = { readonly entries: ReadonlyMap<string, string>; readonly problems: readonly string[] };

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };
const assignment = /^[ \t]*(?:export[ \t]+)?([^\s=#]+)[ \t]*=[ \t]*/;

/** Reads `NAME=value` lines as `.env` files have them: comments, quotes, values over several lines. */
export function parseDotenv(text: string): Parsed {
  const entries = new Map<string, string>();
  const problems: string[] = [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const found = assignment.exec(line);
    const name = found?.[1] ?? "";
    if (!found || !VariableName.safeParse(name).success) {
      problems.push(`line ${at + 1}: write NAME=value, with letters, digits and underscores in the name`);
      continue;
    }
    let rest = line.slice(found[0].length);
    const quote = rest[0];
    if (quote === '"' || quote === "'") {
      const begun = at;
      while (closingAt(rest, quote) < 0 && at + 1 < lines.length) rest += `\n${lines[++at]}`;
      const end = closingAt(rest, quote);
      if (end < 0) {
        problems.push(`line ${begun + 1}: the value of ${name} has no closing ${quote}`);
        break;
      }
      const inner = rest.slice(1, end);
      entries.set(
        name,
        quote === "'" ? inner : inner.replaceAll(/\\([nrt"\\$])/g, (_, c: string) => escapes[c]!),
      );
    } else entries.set(name, rest.replace(/\s+#.*$/, "").trim());
  }
  return { entries, problems };
}

function closingAt(text: string, quote: string): number {
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text[at] === "\\") at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

/** A line that `parseDotenv` reads back as it was. */
export function dotenvLine(name: string, value: string): string {
  if (value === "" || (/^[^\s"'#][^\n\r]*$/.test(value) && value.trim() === value && !/\s#/.test(value)))
    return `${name}=${value}`;
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t");
  return `${name}="${escaped}"`;
}
