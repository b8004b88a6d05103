/** The functions of VRL that our programs call; a fallible one is called with `!`, which ends the program with a refusal. */
const functions: Readonly<Record<string, "fallible" | "infallible">> = {
  array: "fallible",
  get_env_var: "fallible",
  parse_json: "fallible",
  string: "fallible",
  includes: "infallible",
  is_string: "infallible",
  sha2: "infallible",
};

const token =
  /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*")|(\.[a-z_][a-z0-9_.]*)|([a-z_][a-z0-9_]*)(!)?|(&&|\|\||==|!=|[()=,:])/gy;

/** What VRL would find wrong with a program of assignments and calls; empty for a right one. */
export function vrlProblems(program: string): readonly string[] {
  const problems: string[] = [];
  const defined = new Set<string>();
  let depth = 0;
  for (token.lastIndex = 0; token.lastIndex < program.length;) {
    const at = token.lastIndex;
    const match = token.exec(program);
    if (!match) return [...problems, `nothing of VRL: ${program.slice(at, at + 20)}`];
    const [, , , name, bang, sign] = match;
    depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    if (depth < 0) return [...problems, "a parenthesis too many is closed"];
    if (!name) continue;
    const rest = program.slice(token.lastIndex);
    if (rest.startsWith("(")) problems.push(...callProblems(name, bang));
    else if (/^\s*=[^=]/.test(rest)) defined.add(name);
    else if (!/^\s*:/.test(rest) && !defined.has(name)) problems.push(`nothing is called ${name}`);
  }
  return depth > 0 ? [...problems, "a parenthesis is not closed"] : problems;
}

function callProblems(name: string, bang: string | undefined): string[] {
  const kind = functions[name];
  if (!kind) return [`there is no function ${name}`];
  if (kind === "fallible" && !bang) return [`${name} can fail: call it as ${name}!`];
  return kind === "infallible" && bang ? [`${name} cannot fail: call it without !`] : [];
}
