/** A value in Alloy's language, as far as our configurations use it: no operators, no calls. */
export type AlloyValue =
  | { readonly kind: "string" | "number" | "bool"; readonly value: string }
  | { readonly kind: "list"; readonly items: readonly AlloyValue[] }
  | { readonly kind: "object"; readonly entries: ReadonlyMap<string, AlloyValue> }
  | { readonly kind: "reference"; readonly path: readonly string[] };
export type AlloyBlock = {
  readonly name: string;
  readonly label: string | undefined;
  readonly args: ReadonlyMap<string, AlloyValue>;
  readonly blocks: readonly AlloyBlock[];
};

const token =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|("(?:[^"\\\n]|\\["\\nrtabfv]|\\u[0-9a-fA-F]{4})*")|(-?\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|([{}[\]=,.])/uy;
type Token = { readonly kind: "string" | "number" | "word" | "sign"; readonly text: string };

function tokens(text: string): Token[] {
  const all: Token[] = [];
  for (token.lastIndex = 0; token.lastIndex < text.length;) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw new SyntaxError(`nothing of Alloy's language: ${text.slice(at, at + 30)}`);
    const kinds = [undefined, "string", "number", "word", "sign"] as const;
    kinds.forEach((kind, group) => {
      if (kind && match[group] !== undefined) all.push({ kind, text: match[group] });
    });
  }
  return all;
}

/** Reads a configuration; a SyntaxError says where it stopped making sense. */
export function parseAlloy(text: string): readonly AlloyBlock[] {
  const all = tokens(text);
  let at = 0;
  const peek = (sign: string) => all[at]?.kind === "sign" && all[at]?.text === sign;
  const fail = (wanted: string): never => {
    throw new SyntaxError(`${wanted} is expected, not ${all[at]?.text ?? "the end"} (word ${at})`);
  };
  const take = (kind: Token["kind"], text?: string): string => {
    const found = all[at];
    if (found?.kind !== kind || (text !== undefined && found.text !== text)) return fail(text ?? kind);
    at += 1;
    return found.text;
  };
  const path = (): string[] => {
    const names = [take("word")];
    while (peek(".")) {
      take("sign", ".");
      names.push(take("word"));
    }
    return names;
  };
  const listOf = <T>(close: string, item: () => T): T[] => {
    const items: T[] = [];
    while (!peek(close)) {
      items.push(item());
      if (!peek(close)) take("sign", ",");
    }
    take("sign", close);
    return items;
  };
  const value = (): AlloyValue => {
    const found = all[at];
    if (found?.kind === "string") return { kind: "string", value: JSON.parse(take("string")) as string };
    if (found?.kind === "number") return { kind: "number", value: take("number") };
    if (peek("[")) {
      take("sign");
      return { kind: "list", items: listOf("]", value) };
    }
    if (peek("{")) {
      take("sign");
      const entry = (): [string, AlloyValue] => {
        const key = all[at]?.kind === "string" ? (JSON.parse(take("string")) as string) : take("word");
        take("sign", "=");
        return [key, value()];
      };
      return { kind: "object", entries: new Map(listOf("}", entry)) };
    }
    if (found?.kind === "word" && ["true", "false"].includes(found.text))
      return { kind: "bool", value: take("word") };
    return { kind: "reference", path: path() };
  };
  const body = (isInner: boolean): Pick<AlloyBlock, "args" | "blocks"> => {
    const args = new Map<string, AlloyValue>();
    const blocks: AlloyBlock[] = [];
    while (isInner ? !peek("}") : at < all.length) {
      const name = path().join(".");
      if (peek("=")) {
        take("sign");
        if (args.has(name)) throw new SyntaxError(`${name} is given twice`);
        args.set(name, value());
        continue;
      }
      const label = all[at]?.kind === "string" ? (JSON.parse(take("string")) as string) : undefined;
      take("sign", "{");
      blocks.push({ name, label, ...body(true) });
      take("sign", "}");
    }
    return { args, blocks };
  };
  const { args, blocks } = body(false);
  if (args.size > 0) throw new SyntaxError(`${[...args.keys()][0]} stands outside of every block`);
  return blocks;
}
