import type { Component, LockReader } from "./component.ts";

type Module = Pick<Component, "name" | "version">;
const golang = ({ name, version }: Module): Component => ({ ecosystem: "golang", name, version });

/**
 * go.mod, which names every module of the build since Go 1.17; of an older one go.sum has to tell. A module that is
 * replaced counts as what takes its place, and not at all where that is a folder.
 */
export const readGoMod: LockReader = (text) => {
  const directives = directivesOf(text);
  const [language = ""] = directives.find(({ verb }) => verb === "go")?.words ?? [];
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(language) ?? [];
  if (Number(major) < 2 && Number(minor) < 17) return undefined;
  const replaced = new Map(
    directives.filter(({ verb }) => verb === "replace").map(({ words }) => replacementOf(words)),
  );
  return directives.flatMap(({ verb, words: [name, version] }) => {
    if (verb !== "require" || !name || !version?.startsWith("v")) return [];
    const keys = [`${name}@${version}`, name];
    const key = keys.find((one) => replaced.has(one));
    const module = key === undefined ? { name, version } : replaced.get(key);
    return module ? [golang(module)] : [];
  });
};

/** `old [version] => new version`; a folder has no version. */
function replacementOf(words: readonly string[]): [key: string, module: Module | undefined] {
  const arrow = words.indexOf("=>");
  const [[old = "", of], [name, version]] = [words.slice(0, Math.max(0, arrow)), words.slice(arrow + 1)];
  return [of ? `${old}@${of}` : old, name && version ? { name, version } : undefined];
}

type Directive = { readonly verb: string; readonly words: readonly string[] };

/** `require name version`, or the same in a block. */
function directivesOf(text: string): Directive[] {
  let block: string | undefined;
  return text.split("\n").flatMap((line): Directive[] => {
    const words = line.split("//", 1)[0]!.split(/\s+/).filter(Boolean);
    const [verb, ...rest] = words.map((word) => word.replace(/^["`]|["`]$/g, ""));
    if (verb === undefined) return [];
    if (verb === ")") block = undefined;
    else if (block !== undefined) return [{ verb: block, words: [verb, ...rest] }];
    else if (rest[0] === "(") block = verb;
    else return [{ verb, words: rest }];
    return [];
  });
}

/** go.sum names a version twice, once for its go.mod alone; one of both is enough. */
export const readGoSum: LockReader = (text) => {
  const found = new Map<string, Component>();
  for (const line of text.split("\n")) {
    const [, name, version] = /^(\S+) (v[^\s/]+)(?:\/go\.mod)? h1:/.exec(line) ?? [];
    if (name && version) found.set(`${name}@${version}`, golang({ name, version }));
  }
  return [...found.values()];
};
