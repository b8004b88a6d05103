export type Token = { readonly type: "number" | "string" | "name" | "symbol" | "end"; readonly text: string };

const symbols = [
  "&&",
  "||",
  "==",
  "!=",
  "<=",
  ">=",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "%",
  "!",
  "?",
  ":",
  ".",
  ",",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
];
const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
};

/** Splits a CEL expression into tokens. */
export function lex(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (type: Token["type"], text: string, length: number): void => {
    tokens.push({ type, text });
    at += length;
  };
  while (at < source.length) {
    const rest = source.slice(at);
    const space = /^\s+/.exec(rest);
    const number = /^\d+(\.\d+)?([eE][+-]?\d+)?u?/.exec(rest);
    const quoted = /^(r?)("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')/.exec(rest);
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest);
    const symbol = symbols.find((one) => rest.startsWith(one));
    if (space) at += space[0].length;
    else if (number) push("number", number[0], number[0].length);
    else if (quoted) push("string", unquote(quoted[2] ?? "", quoted[1] === "r"), quoted[0].length);
    else if (name) push("name", name[0], name[0].length);
    else if (symbol) push("symbol", symbol, symbol.length);
    else throw new Error(`CEL: cannot read ${JSON.stringify(rest.slice(0, 20))}`);
  }
  return [...tokens, { type: "end", text: "" }];
}

function unquote(text: string, isRaw: boolean): string {
  const width = /^("""|''')/.test(text) ? 3 : 1;
  const inner = text.slice(width, -width);
  return isRaw ? inner : inner.replace(/\\(.)/g, (all, letter: string) => escapes[letter] ?? all);
}
