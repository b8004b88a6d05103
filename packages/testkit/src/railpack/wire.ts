import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** What is wrong with a value by Railpack's own shape of it, each with its place; nothing where it is right. */
type Problems = (value: unknown) => string[];

const ajv = new Ajv2020({ strict: false, allErrors: true });
const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as object;
const by =
  (validate: ValidateFunction): Problems =>
  (value) =>
    validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);

/** Holds a build plan, as it is printed, to the form that Railpack's frontend reads. */
export const planProblems: Problems = by(ajv.compile(read("plan.schema.json")));

/** Holds a railpack.json, parsed, to the schema that Railpack publishes; its program passes over unknown keys. */
export const configurationProblems: Problems = by(ajv.compile(read("railpack.schema.json")));
