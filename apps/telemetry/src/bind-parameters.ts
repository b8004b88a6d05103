import { EngineError } from "./engine-error.ts";

/**
 * Puts the values of `{name:Type}` into the statement as escaped literals of that type; nothing inside quotes or
 * comments is touched. The engine's own binding keeps its parameters in one place for the whole process: two
 * statements at once would see each other's values, so its library runs them one at a time. This way they run side
 * by side, and a tail does not wait for somebody's search.
 */
export function bindParameters(sql: string, parameters: ReadonlyMap<string, string>): string {
  return sql.replace(token, (whole, name: string | undefined, type: string | undefined) => {
    if (name === undefined || type === undefined) return whole;
    const value = parameters.get(name);
    if (value === undefined)
      throw new EngineError(
        456,
        "UNKNOWN_QUERY_PARAMETER",
        `Substitution \`${name}\` is not set: pass param_${name}`,
      );
    return literalOf(value, type.trim());
  });
}

/** Quoted text, names and comments are matched first, so that a brace inside them is never a placeholder. */
const token =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]+?)\s*\}/g;

function literalOf(value: string, type: string): string {
  if (type === "Identifier") return `\`${unescape(value).replace(/[\\`]/g, "\\$&")}\``;
  if (value === "\\N" && /^(LowCardinality\()?Nullable\(/.test(type)) return `CAST(NULL, ${quoted(type)})`;
  // Arrays, tuples and maps carry their own quotes and escapes; everything else is one escaped word.
  const text = /^(Array|Tuple|Map|Nested)\(/.test(type) ? value : unescape(value);
  return type === "String" ? quoted(text) : `CAST(${quoted(text)}, ${quoted(type)})`;
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", b: "\b", f: "\f", "0": "\0" };
const unescape = (value: string): string =>
  value.replace(/\\([\s\S])/g, (_, letter: string) => escapes[letter] ?? letter);

/** A string literal; NUL is escaped because the engine takes the statement as a C string. */
export const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&").replaceAll("\0", "\\0")}'`;
