import { usageError } from "../exit-error.ts";

/**
 * The variables of a `.env` file: `NAME=value`, with or without `export`, comments, single quotes (as it is) and double
 * quotes (with `\n`, over several lines). A line that is none of these is refused with its number.
 */
export function readDotenv(text: string, name: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (!match) throw usageError(`${name}, line ${at + 1}: "${line.slice(0, 40)}" is not NAME=value`);
    const [, key = "", rest = ""] = match;
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      values[key] = rest.replace(/\s+#.*$/, "").trim();
      continue;
    }
    let body = rest.slice(1);
    const startedAt = at;
    while (endOf(body, quote) === -1) {
      if (++at >= lines.length)
        throw usageError(`${name}, line ${startedAt + 1}: ${key} has no closing ${quote}`);
      body += `\n${lines[at]}`;
    }
    const inner = body.slice(0, endOf(body, quote));
    values[key] = quote === "'" ? inner : unescaped(inner);
  }
  return values;
}

/** Where the closing quote is; a double quote may be escaped. */
function endOf(body: string, quote: string): number {
  for (let at = 0; at < body.length; at++) {
    if (quote === '"' && body[at] === "\\") at++;
    else if (body[at] === quote) return at;
  }
  return -1;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/gs, (_, char: string) => ({ n: "\n", r: "\r", t: "\t" })[char] ?? char);
