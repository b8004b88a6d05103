/** JSON as people write it in configuration: comments and trailing commas are read. Throws a SyntaxError otherwise. */
export function readLooseJson(text: string): unknown {
  const bare = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return JSON.parse(bare);
  } catch (cause) {
    const plain = withoutTrailingCommas(withoutComments(bare));
    if (plain === bare) throw cause;
    return JSON.parse(plain);
  }
}

/** One pass with a cursor that only moves forward: an unclosed comment or string costs what the text costs, not its square. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  for (let at = 0; at < text.length;) {
    const [start, next] = [at, text[at + 1]];
    if (text[at] === '"') at = endOfString(text, at);
    else if (text[at] === "/" && next === "/") at = orEnd(text, text.indexOf("\n", at));
    else if (text[at] === "/" && next === "*") at = orEnd(text, text.indexOf("*/", at + 2), 2);
    else {
      kept.push(text[at++]!);
      continue;
    }
    if (text[start] === '"') kept.push(text.slice(start, at));
  }
  return kept.join("");
}

const withoutTrailingCommas = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (piece) => (piece === "," ? "" : piece));

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

const orEnd = (text: string, index: number, beyond = 0): number => (index < 0 ? text.length : index + beyond);
