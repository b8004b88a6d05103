import { z } from "zod";

/**
 * Railpack's plan format. Lists and tables that the format lets a writer leave out are always there
 * after reading, empty: an executor never asks whether they exist.
 */
const Filters = {
  include: z.exactOptional(z.array(z.string())),
  exclude: z.exactOptional(z.array(z.string())),
};

/** Where files come from: exactly one of an image, an earlier step, the source tree, or (in a merge) "what was there". */
const Layer = z.union([
  z.strictObject({ image: z.string().min(1), ...Filters }),
  z.strictObject({ step: z.string().min(1), ...Filters }),
  z.strictObject({ local: z.literal(true), ...Filters }),
  z.strictObject({ spread: z.literal(true), ...Filters }),
]);

const CustomName = { customName: z.exactOptional(z.string()) };

/** A command to run, a file of the source to copy, an asset to write, or a folder for PATH; told apart by `cmd`, `src`, `name`. */
const Command = z.union([
  z.strictObject({ cmd: z.string(), ...CustomName }),
  z.strictObject({ src: z.string(), dest: z.string(), image: z.exactOptional(z.string()) }),
  z.strictObject({
    path: z.string(),
    name: z.string(),
    mode: z.exactOptional(z.int().nonnegative()),
    ...CustomName,
  }),
  z.strictObject({ path: z.string() }),
]);

const Names = z.array(z.string()).default(() => []);
const Table = z.record(z.string(), z.string()).default(() => ({}));

const Step = z.strictObject({
  name: z.string().min(1),
  inputs: z.array(Layer).default(() => []),
  commands: z.array(Command).default(() => []),
  /** Names of the secrets this step may read; `["*"]` is all of the plan's. */
  secrets: Names,
  /** Text of the files that this step's file commands write, by name. */
  assets: Table,
  variables: Table,
  /** Names in the plan's `caches`. */
  caches: Names,
});

const Cache = z.strictObject({
  directory: z.string().min(1),
  type: z.enum(["shared", "locked"]).default("shared"),
});

const Deploy = z.strictObject({
  base: Layer,
  inputs: z.array(Layer).default(() => []),
  startCommand: z.exactOptional(z.string()),
  variables: Table,
  paths: Names,
});

const Plan = z.strictObject({
  $schema: z.exactOptional(z.string()),
  steps: z.array(Step).default(() => []),
  caches: z.record(z.string(), Cache).default(() => ({})),
  /** Names of all variables given, never their values. */
  secrets: Names,
  deploy: Deploy,
  exclude: Names,
});

export type Layer = z.output<typeof Layer>;
export type Command = z.output<typeof Command>;
export type Step = z.output<typeof Step>;
export type Cache = z.output<typeof Cache>;
export type Deploy = z.output<typeof Deploy>;
export type BuildPlan = z.output<typeof Plan>;

/** The pieces of the format, for files that carry parts of a plan. */
export const planSchemas = { Layer, Command, Step, Cache, Plan };

/** Reads a plan that came from anywhere. Throws a ZodError that names the wrong field. */
export const readBuildPlan = (value: unknown): BuildPlan => Plan.parse(value);

/**
 * The plan as text: keys sorted, empty lists and tables left out, so that two equal plans print the same
 * bytes and a difference reads well. `readBuildPlan(JSON.parse(text))` gives the same plan back.
 */
export const printBuildPlan = (plan: BuildPlan): string => `${JSON.stringify(tidy(plan), undefined, 2)}\n`;

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined && !isEmpty(inner));
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, tidy(inner)]),
  );
}

const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;
