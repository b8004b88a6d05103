/** What stands at one place of a pattern: one letter, any number of them, or folders (each with its stroke). */
type Token =
  | { readonly kind: "letter"; fits(letter: string): boolean }
  | { readonly kind: "name" | "path" | "folders" };

const lengthMax = 4_096;

/**
 * A test for paths by one pattern of a .dockerignore. No regular expression is made of it: those try every way in which
 * stars can share a path, and one line of a customer's file (`**a**a**a**a**b`) would hold this process for hours. Here a
 * path costs at most its length times the pattern's.
 *
 * Throws where the pattern is none, with its text.
 */
export function pathPattern(pattern: string): (path: string) => boolean {
  if (pattern.length > lengthMax)
    throw new Error(
      `a pattern of what a build leaves out has more than ${lengthMax} letters (${pattern.slice(0, 40)}…): no path is so long`,
    );
  const head = pattern.search(special);
  if (head === -1) return (path) => path === pattern;
  const tokens = tokensOf(pattern);
  // Most paths of a tree fit no pattern, and are told by their first or last letters.
  const [start, ending] = [pattern.slice(0, head).replace(/\/$/, ""), endingOf(pattern)];
  return (path) => path.startsWith(start) && path.endsWith(ending) && fits(tokens, path);
}

const special = /[*?[\\]/;

/** Whether a pattern may mean more than one path. */
export const isWild = (pattern: string): boolean => special.test(pattern);

function endingOf(pattern: string): string {
  let at = pattern.length;
  while (at > 0 && !/[*?[\]\\/]/.test(pattern[at - 1]!)) at -= 1;
  return pattern.slice(at);
}

/** Goes through the path once, with all the places of the pattern at which it may be, in their order. */
function fits(tokens: readonly Token[], path: string): boolean {
  let places: number[] = [];
  enter(tokens, places, 0);
  for (const letter of path) {
    const next: number[] = [];
    for (const place of places) step(tokens, next, place, letter);
    if (next.length === 0) return false;
    places = next;
  }
  return places.at(-1) === tokens.length;
}

/** Comes to a place, and to those after it that may stand for nothing: after one that is known, these are too. */
function enter(tokens: readonly Token[], places: number[], from: number): void {
  const known = places.at(-1) ?? -1;
  if (from <= known) return;
  for (let place = from; ; place += 1) {
    places.push(place);
    if (place === tokens.length || tokens[place]!.kind === "letter") return;
  }
}

function step(tokens: readonly Token[], next: number[], place: number, letter: string): void {
  const token = tokens[place];
  if (token === undefined) return;
  if (token.kind === "letter") {
    if (token.fits(letter)) enter(tokens, next, place + 1);
  } else if (token.kind === "folders") {
    if ((next.at(-1) ?? -1) < place) next.push(place);
    if (letter === "/") enter(tokens, next, place + 1);
  } else if (token.kind === "path" || letter !== "/") enter(tokens, next, place);
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const letters = [...pattern];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at]!;
    const end = letter === "[" ? letters.indexOf("]", at + 2) : -1;
    if (letter === "*" && letters[at + 1] === "*") {
      const isFolders = letters[at + 2] === "/";
      tokens.push({ kind: isFolders ? "folders" : "path" });
      at += isFolders ? 2 : 1;
    } else if (letter === "*") tokens.push({ kind: "name" });
    else if (letter === "?") tokens.push({ kind: "letter", fits: (one) => one !== "/" });
    else if (end > 0) {
      tokens.push({ kind: "letter", fits: letterClass(letters.slice(at + 1, end).join(""), pattern) });
      at = end;
    } else {
      const plain = letter === "\\" ? (letters[++at] ?? letter) : letter;
      tokens.push({ kind: "letter", fits: (one) => one === plain });
    }
  }
  return tokens;
}

/** `[a-z]`, `[^a-z]`: of one letter an expression has nothing to try twice. */
function letterClass(body: string, pattern: string): (letter: string) => boolean {
  const negated = body.startsWith("^") || body.startsWith("!");
  const inside = (negated ? body.slice(1) : body).replace(/[\\[\]^&]/g, "\\$&");
  try {
    const expression = new RegExp(`^[${negated ? "^/" : ""}${inside}]$`, "su");
    return (letter) => expression.test(letter);
  } catch {
    throw new Error(`"${pattern}" is no pattern of a .dockerignore: the range in [${body}] runs backwards`);
  }
}
