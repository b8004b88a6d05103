import { readFileSync } from "node:fs";
import { parse } from "yaml";

type Kind = "switch" | "text" | "list";
type Options = Readonly<Record<string, Kind>>;
type Plugins = { readonly common: Options } & Readonly<Record<string, Options>>;
const known = JSON.parse(readFileSync(new URL("fluent-bit-options.json", import.meta.url), "utf8")) as {
  service: Options;
  inputs: Plugins;
  filters: Plugins;
  outputs: Plugins;
};
type Section = Readonly<Record<string, unknown>>;
type Config = {
  readonly service?: Section;
  readonly pipeline?: Readonly<Record<string, readonly Section[]>>;
};
const parts = ["inputs", "filters", "outputs"] as const;

/** What Fluent Bit would refuse, or silently never use, in a configuration in YAML; empty for a right one. */
export function fluentBitProblems(text: string): readonly string[] {
  const config = parse(text) as Config;
  const strangers = [
    ...Object.keys(config).filter((name) => !["service", "pipeline"].includes(name)),
    ...Object.keys(config.pipeline ?? {}).filter((name) => !(parts as readonly string[]).includes(name)),
  ];
  return [
    ...strangers.map((name) => `there is no section ${name}`),
    ...optionProblems("service", config.service ?? {}, known.service),
    ...parts.flatMap((part) =>
      (config.pipeline?.[part] ?? []).flatMap((plugin) => {
        const name = String(plugin["name"]);
        const options = known[part][name];
        return options && name !== "common"
          ? optionProblems(`${part} ${name}`, plugin, { ...known[part].common, ...options })
          : [`there is no plugin ${name} in ${part}`];
      }),
    ),
    ...flowProblems(config),
  ];
}

const optionProblems = (where: string, given: Section, options: Options): string[] =>
  Object.entries(given).flatMap(([name, value]) => {
    const kind = options[name];
    if (!kind) return [`${where} has no option ${name}`];
    if (kind === "switch" && !["true", "false", "on", "off"].includes(String(value)))
      return [`${where}: ${name} is on or off, not ${String(value)}`];
    if (kind === "list" && !Array.isArray(value)) return [`${where}: ${name} is a list`];
    if (kind === "text" && !["string", "number", "boolean"].includes(typeof value))
      return [`${where}: ${name} is one value`];
    return [];
  });

/** Whether a tag matches, `*` standing for anything: the one wildcard there is. */
const matches = (pattern: string, tag: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(tag);

/** Every tag reaches an output, every filter and output is reached, buffers on disk have their place. */
function flowProblems({ service = {}, pipeline = {} }: Config): string[] {
  const tags = (pipeline["inputs"] ?? []).map((input) => String(input["tag"] ?? ""));
  const patterns = (part: string) => (pipeline[part] ?? []).map((plugin) => String(plugin["match"] ?? ""));
  return [
    ...tags.filter((tag) => tag === "").map(() => "an input has no tag"),
    ...tags
      .filter((tag) => !patterns("outputs").some((pattern) => matches(pattern, tag)))
      .map((tag) => `${tag} reaches no output`),
    ...[...patterns("filters"), ...patterns("outputs")]
      .filter((pattern) => !tags.some((tag) => matches(pattern, tag)))
      .map((pattern) => `nothing reaches what matches "${pattern}"`),
    ...((pipeline["inputs"] ?? []).some((input) => input["storage.type"] === "filesystem") &&
    !service["storage.path"]
      ? ["storage.type filesystem needs storage.path in service"]
      : []),
  ];
}
