/** JSON as people write it in configuration: comments and trailing commas are read. Throws a SyntaxError otherwise. */
export function readLooseJson(text: string): unknown {
  const bare = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return JSON.parse(bare);
  } catch (cause) {
    const plain = withoutExtras(bare);
    if (plain === bare) throw cause;
    return JSON.parse(plain);
  }
}

/**
 * Without comments and trailing commas, in one pass with a cursor that only moves forward: an unclosed comment or string
 * costs what the text costs, not its square.
 */
function withoutExtras(text: string): string {
  const kept: string[] = [];
  let [from, comma] = [0, -1];
  for (let at = 0; at < text.length;) {
    const letter = text[at]!;
    const commentEnd = letter === "/" ? endOfComment(text, at) : undefined;
    if (commentEnd !== undefined) {
      kept.push(text.slice(from, at));
      from = at = commentEnd;
    } else if (letter === ",") {
      kept.push(text.slice(from, at), ",");
      comma = kept.length - 1;
      from = ++at;
    } else {
      if (comma >= 0 && (letter === "}" || letter === "]")) kept[comma] = "";
      if (!isSpace(letter)) comma = -1;
      at = letter === '"' ? endOfString(text, at) : at + 1;
    }
  }
  kept.push(text.slice(from));
  return kept.join("");
}

const isSpace = (letter: string): boolean =>
  letter === " " || letter === "\n" || letter === "\r" || letter === "\t";

function endOfComment(text: string, at: number): number | undefined {
  if (text[at + 1] === "/") return orEnd(text, text.indexOf("\n", at));
  return text[at + 1] === "*" ? orEnd(text, text.indexOf("*/", at + 2), 2) : undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

const orEnd = (text: string, index: number, beyond = 0): number => (index < 0 ? text.length : index + beyond);
