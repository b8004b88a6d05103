import { readFileSync } from "node:fs";
import { parse } from "yaml";

type Option = {
  readonly type?: string;
  readonly required?: boolean;
  readonly enum?: readonly string[];
  /** Like `strategy = "basic"`: of a sibling. */
  readonly when?: string;
  readonly options?: Options;
};
type Options = Readonly<Record<string, Option>>;
type Section = Readonly<Record<string, unknown>>;
const known = JSON.parse(readFileSync(new URL("vector-options.json", import.meta.url), "utf8")) as {
  sources: Readonly<Record<string, Options>>;
  transforms: Readonly<Record<string, Options>>;
  sinks: Readonly<Record<string, Options>>;
  common_sink: Options;
  top: readonly string[];
};
const stages = ["sources", "transforms", "sinks"] as const;
type Config = Partial<Record<(typeof stages)[number], Readonly<Record<string, Section>>>>;

/** What Vector would refuse in a configuration in YAML; empty for a right one. */
export function vectorProblems(text: string): readonly string[] {
  const config = parse(text) as Config;
  const outputs = outputsOf(config);
  return [
    ...Object.keys(config)
      .filter((name) => !known.top.includes(name))
      .map((name) => `there is no section ${name}`),
    ...stages.flatMap((stage) =>
      Object.entries(config[stage] ?? {}).flatMap(([id, { type, ...given }]) => {
        const options = known[stage][String(type)];
        if (!options) return [`${id}: there is no ${stage} of type ${String(type)}`];
        const all = stage === "sinks" ? { ...known.common_sink, ...options } : options;
        const inputs = (given["inputs"] ?? []) as readonly string[];
        return [
          ...optionProblems(id, given, all),
          ...inputs
            .filter((input) => !outputs.has(input))
            .map((input) => `${id}: nothing is called ${input}`),
        ];
      }),
    ),
    ...unreadOutputs(config, outputs),
  ];
}

function outputsOf({ sources = {}, transforms = {} }: Config): ReadonlySet<string> {
  const routed = Object.entries(transforms).flatMap(([id, { type, route }]) =>
    type === "route" ? [...Object.keys(route as Section), "_unmatched"].map((way) => `${id}.${way}`) : [id],
  );
  return new Set([...Object.keys(sources), ...routed]);
}

/** What comes out and is read by nobody is thrown away: Vector only warns. */
function unreadOutputs({ transforms = {}, sinks = {} }: Config, outputs: ReadonlySet<string>): string[] {
  const read = new Set(
    [...Object.values(transforms), ...Object.values(sinks)].flatMap(
      (each) => (each["inputs"] ?? []) as string[],
    ),
  );
  return [...outputs].filter((output) => !read.has(output)).map((output) => `nobody reads ${output}`);
}

function optionProblems(where: string, given: Section, options: Options): string[] {
  const missing = Object.entries(options).filter(
    ([name, { required, when }]) => required && given[name] === undefined && holds(when, given),
  );
  return [
    ...missing.map(([name]) => `${where} lacks ${name}`),
    ...Object.entries(given).flatMap(([name, value]) => {
      const option = options[name];
      if (!option) return [`${where} has no option ${name}`];
      if (!isOf(option.type, value)) return [`${where}.${name} is no ${option.type}`];
      if (option.enum && !option.enum.includes(String(value)))
        return [`${where}.${name} cannot be ${String(value)}`];
      return option.options && isSection(value)
        ? optionProblems(`${where}.${name}`, value, option.options)
        : [];
    }),
  ];
}

/** A condition on a sibling; one in words we cannot read is taken to hold. */
function holds(when: string | undefined, given: Section): boolean {
  const [, name, value] = /^(\w+) = "(\w+)"$/.exec(when ?? "") ?? [];
  return name === undefined ? when === undefined : given[name] === value;
}

const isSection = (value: unknown): value is Section =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isOf(type: string | undefined, value: unknown): boolean {
  if (type === "bool") return typeof value === "boolean";
  if (type === "uint") return typeof value === "number" && Number.isInteger(value) && value >= 0;
  if (type === "float") return typeof value === "number";
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isSection(value);
  if (type === "string") return typeof value === "string";
  return true;
}
