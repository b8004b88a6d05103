import { z } from "zod";
import { planSchemas, type Command, type Layer } from "./build-plan.ts";
import { fromStep, shell } from "./commands.ts";
import { holdsMoreThan } from "./holds-more-than.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import type { PlanVariables } from "./plan-variables.ts";
import type { SourceTree } from "./source-tree.ts";

/** "." is the source, "..." what was generated at this place, "$name" a step. */
const input = z.union([planSchemas.Layer, z.string().transform(layerOf)]);
const command = z.union([planSchemas.Command, z.string().transform(commandOf)]);
const filter = z.strictObject({
  include: z.exactOptional(z.array(z.string())),
  exclude: z.exactOptional(z.array(z.string())),
});
const names = z.exactOptional(z.array(z.string()));
const table = z.exactOptional(z.record(z.string(), z.string()));

const step = z.strictObject({
  name: z.exactOptional(z.string()),
  inputs: z.exactOptional(z.array(input)),
  commands: z.exactOptional(z.array(command)),
  secrets: names,
  assets: table,
  variables: table,
  caches: names,
  deployOutputs: z.exactOptional(z.array(filter)),
});

const file = z.strictObject({
  $schema: z.exactOptional(z.string()),
  provider: z.exactOptional(z.string()),
  buildAptPackages: names,
  packages: table,
  caches: z.exactOptional(z.record(z.string(), planSchemas.Cache)),
  secrets: names,
  exclude: names,
  steps: z.exactOptional(z.record(z.string(), step)),
  deploy: z.exactOptional(
    z.strictObject({
      aptPackages: names,
      base: z.exactOptional(input),
      inputs: z.exactOptional(z.array(input)),
      startCommand: z.exactOptional(z.string()),
      variables: table,
      paths: names,
    }),
  ),
});

export type RailpackFile = z.output<typeof file>;
export type RailpackStep = z.output<typeof step>;

/** The command that stands for "what was generated here" in a list of commands. */
export const spreadCommand = "...";

function layerOf(text: string): Layer {
  if (text === ".") return { local: true, include: ["."] };
  if (text === "...") return { spread: true };
  return fromStep(text.replace(/^\$/, ""));
}

function commandOf(text: string): Command {
  if (text === spreadCommand) return { cmd: spreadCommand };
  const prefixed = /^(PATH|COPY):(.*)$/s.exec(text);
  if (prefixed?.[1] === "PATH") return { path: prefixed[2]!.trim() };
  if (prefixed?.[1] === "COPY") {
    const [src = ".", dest = src] = prefixed[2]!.trim().split(/\s+/);
    return { src, dest };
  }
  return shell(text);
}

/** Reads railpack.json (or what RAILPACK_CONFIG_FILE names). Throws PlanRefusal when it is broken or named but missing. */
export function readRailpackFile(tree: SourceTree, variables: PlanVariables): RailpackFile {
  const named = variables.get("CONFIG_FILE");
  const name = named ?? "railpack.json";
  const content = tree.readJson(name);
  if (content === undefined && named === undefined) return {};
  if (content === undefined) {
    throw new PlanRefusal(`RAILPACK_CONFIG_FILE names ${name}, which is not in the source`, {
      hint: `Add ${name}, or remove the variable.`,
      lookedFor: [name],
    });
  }
  if (holdsMoreThan(content, valuesMax))
    throw new PlanRefusal(`${name} holds more than ${valuesMax} values`, {
      hint: `Make ${name} shorter: put long lists of commands into a script of the source.`,
    });
  const read = file.safeParse(content);
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0]!;
  const where = path.length === 0 ? "" : ` at ${path.join(".")}`;
  throw new PlanRefusal(`${name} does not hold what it may${where}: ${message}`, {
    hint: `Correct ${name}; its schema is at https://schema.railpack.com.`,
  });
}

const valuesMax = 2_000;

/** What the RAILPACK_* variables add, in the file's own form. */
export function railpackFileOfVariables(variables: PlanVariables): RailpackFile {
  const [install, build, start] = [
    variables.get("INSTALL_CMD"),
    variables.get("BUILD_CMD"),
    variables.get("START_CMD"),
  ];
  const packages = variables.list("PACKAGES").map((entry) => splitPackage(entry));
  const [buildApt, deployApt] = [variables.list("BUILD_APT_PACKAGES"), variables.list("DEPLOY_APT_PACKAGES")];
  return {
    ...(packages.length > 0 ? { packages: Object.fromEntries(packages) } : {}),
    ...(buildApt.length > 0 ? { buildAptPackages: ["...", ...buildApt] } : {}),
    ...(install || build ? { steps: commandSteps({ install, build }) } : {}),
    ...(start || deployApt.length > 0
      ? {
          deploy: {
            ...(start ? { startCommand: start } : {}),
            ...(deployApt.length > 0 ? { aptPackages: ["...", ...deployApt] } : {}),
          },
        }
      : {}),
  };
}

/** A person's own command in place of a step's generated ones, run on the whole source, with every secret. */
export function commandSteps(commands: {
  install?: string | undefined;
  build?: string | undefined;
}): Record<string, RailpackStep> {
  const steps: Record<string, RailpackStep> = {};
  for (const [name, text] of Object.entries(commands)) {
    if (text) steps[name] = { commands: [{ src: ".", dest: "." }, shell(text)], secrets: ["*"] };
  }
  return steps;
}

function splitPackage(entry: string): [string, string] {
  const at = entry.lastIndexOf("@");
  return at > 0 ? [entry.slice(0, at), entry.slice(at + 1)] : [entry, "latest"];
}

/**
 * One configuration of several; later ones win, lists and steps as wholes, tables key by key. In a list of Debian
 * packages "..." stands for the earlier list.
 */
export function mergeRailpackFiles(...files: readonly RailpackFile[]): RailpackFile {
  return files.reduce(
    (all, next) => ({
      ...all,
      ...next,
      ...optional("buildAptPackages", mergeLists(all.buildAptPackages, next.buildAptPackages)),
      packages: { ...all.packages, ...next.packages },
      caches: { ...all.caches, ...next.caches },
      steps: mergeSteps(all.steps, next.steps),
      deploy: {
        ...all.deploy,
        ...next.deploy,
        ...optional("aptPackages", mergeLists(all.deploy?.aptPackages, next.deploy?.aptPackages)),
        variables: { ...all.deploy?.variables, ...next.deploy?.variables },
      },
    }),
    {} as RailpackFile,
  );
}

const mergeLists = (
  all: readonly string[] | undefined,
  next: readonly string[] | undefined,
): string[] | undefined =>
  next && all ? next.flatMap((name) => (name === "..." ? all : [name])) : (next ?? all)?.slice();

const optional = <K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [key in K]: V });

function mergeSteps(
  all: RailpackFile["steps"] = {},
  next: RailpackFile["steps"] = {},
): Record<string, RailpackStep> {
  const merged = { ...all };
  for (const [name, step] of Object.entries(next)) {
    const secrets = merged[name]?.secrets ?? step.secrets;
    merged[name] = { ...merged[name], ...step, ...optional("secrets", secrets) };
  }
  return merged;
}
