import { readFileSync } from "node:fs";
import { parseAlloy, type AlloyBlock, type AlloyValue } from "./alloy-syntax.ts";

type Argument = { readonly type: string; readonly required: boolean };
type BlockRules = {
  readonly args: Readonly<Record<string, Argument>>;
  readonly blocks: Readonly<Record<string, BlockRules>>;
};
type Component = BlockRules & {
  readonly label: boolean;
  readonly exports?: Readonly<Record<string, string>>;
};
const { components } = JSON.parse(
  readFileSync(new URL("alloy-components.json", import.meta.url), "utf8"),
) as { components: Readonly<Record<string, Component>> };

const actions = [
  "drop",
  "hashmod",
  "keep",
  "labeldrop",
  "labelkeep",
  "labelmap",
  "lowercase",
  "replace",
  "uppercase",
];

/** What Alloy would find wrong with a configuration; empty for a right one. */
export function alloyProblems(text: string): readonly string[] {
  const blocks = parseAlloy(text);
  const exported = new Map<string, string>();
  for (const { name, label } of blocks)
    for (const [field, type] of Object.entries(components[name]?.exports ?? {}))
      exported.set(`${name}.${label}.${field}`, type);
  const names = blocks.map(({ name, label }) => `${name} "${label ?? ""}"`);
  return [
    ...names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${name} is there twice`),
    ...blocks.flatMap((block) => {
      const rules = components[block.name];
      if (!rules) return [`there is no component ${block.name}`];
      if (rules.label !== (block.label !== undefined))
        return [`${block.name} ${rules.label ? "needs a" : "takes no"} label`];
      return blockProblems(block, rules, exported);
    }),
  ];
}

function blockProblems(
  block: AlloyBlock,
  rules: BlockRules,
  exported: ReadonlyMap<string, string>,
): string[] {
  const missing = Object.entries(rules.args).filter(
    ([name, { required }]) => required && !block.args.has(name),
  );
  return [
    ...missing.map(([name]) => `${block.name} lacks ${name}`),
    ...[...block.args].flatMap(([name, value]) => {
      const argument = rules.args[name];
      if (!argument) return [`${block.name} has no argument ${name}`];
      const found = typeOf(value, exported);
      const isRight = found === argument.type || fits(found, argument.type);
      return isRight
        ? valueProblems(name, value)
        : [`${block.name}.${name} is ${found}, not ${argument.type}`];
    }),
    ...block.blocks.flatMap((inner) => {
      const innerRules = rules.blocks[inner.name];
      return innerRules
        ? blockProblems(inner, innerRules, exported)
        : [`${block.name} has no block ${inner.name}`];
    }),
  ];
}

function valueProblems(name: string, value: AlloyValue): string[] {
  if (value.kind !== "string") return [];
  if (name === "action" && !actions.includes(value.value)) return [`there is no action ${value.value}`];
  if (name === "regex") {
    try {
      void new RegExp(value.value, "u");
    } catch {
      return [`${value.value} is no regular expression`];
    }
  }
  return [];
}

function typeOf(value: AlloyValue, exported: ReadonlyMap<string, string>): string {
  if (value.kind === "reference")
    return exported.get(value.path.join(".")) ?? `nothing (${value.path.join(".")})`;
  if (value.kind === "list") {
    const inner = new Set(value.items.map((item) => typeOf(item, exported)));
    return inner.size > 1 ? "list(mixed)" : `list(${[...inner][0] ?? "any"})`;
  }
  if (value.kind === "object") return "map(string)";
  return value.kind;
}

/** Texts that Alloy reads as something narrower. */
const fits = (found: string, wanted: string): boolean =>
  (found === "string" && ["secret", "duration"].includes(wanted)) ||
  (found === "number" && ["int", "uint", "float64"].includes(wanted));
