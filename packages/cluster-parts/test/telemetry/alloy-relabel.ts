import { parseAlloy, type AlloyBlock, type AlloyValue } from "./alloy-syntax.ts";

export type Labels = Readonly<Record<string, string>>;

const textOf = (value: AlloyValue | undefined): string | undefined =>
  value?.kind === "string" ? value.value : undefined;
const listOf = (value: AlloyValue | undefined): readonly string[] =>
  value?.kind === "list" ? value.items.flatMap((item) => textOf(item) ?? []) : [];

/** What the rules of `prometheus.relabel "<label>"` make of a series; undefined: it is dropped. Expressions match whole. */
export function relabel(config: string, label: string): (series: Labels) => Labels | undefined {
  const block = parseAlloy(config).find((each) => each.name === "prometheus.relabel" && each.label === label);
  if (!block) throw new Error(`there is no prometheus.relabel "${label}"`);
  const rules = block.blocks.map(ruleOf);
  return (series) => rules.reduce<Labels | undefined>((labels, rule) => labels && rule(labels), series);
}

function ruleOf({ args }: AlloyBlock): (labels: Labels) => Labels | undefined {
  const action = textOf(args.get("action")) ?? "replace";
  const regex = new RegExp(`^(?:${textOf(args.get("regex")) ?? "(.*)"})$`, "u");
  const sources = listOf(args.get("source_labels"));
  const joined = (labels: Labels) =>
    sources.map((name) => labels[name] ?? "").join(textOf(args.get("separator")) ?? ";");
  if (action === "keep") return (labels) => (regex.test(joined(labels)) ? labels : undefined);
  if (action === "drop") return (labels) => (regex.test(joined(labels)) ? undefined : labels);
  if (action === "labeldrop")
    return (labels) => Object.fromEntries(Object.entries(labels).filter(([name]) => !regex.test(name)));
  throw new Error(`the action ${action} is not known here`);
}

/** The series of a text exposition, each with its name as a label. */
export const seriesOf = (exposition: string): readonly Labels[] =>
  exposition
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = ""] = /^([a-z_A-Z0-9:]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
      return { __name__: name, ...(Object.fromEntries(pairs) as Labels) };
    });
