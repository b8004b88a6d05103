import { readFileSync } from "node:fs";
import { Fault } from "./fault.ts";
import { nearest } from "./nearest.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** What `parseEnv` needs of a schema: zod's strict object has it. */
type Schema<T> = {
  readonly shape: Record<string, unknown>;
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } };
};

/**
 * Reads the variables that begin with `prefix`, taking `<NAME>_FILE` as the path of a file that holds the value
 * (mounted secrets). A name the schema does not know, a missing or a wrong value stops the start with one sentence
 * that names them all. Variables of other prefixes are never looked at.
 */
export function parseEnv<T>(prefix: string, schema: Schema<T>, env: Env): T {
  const known = Object.keys(schema.shape);
  const raw: Record<string, string> = {};
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined || value === "") continue;
    const key = name.slice(prefix.length);
    if (known.includes(key)) raw[key] = value;
    else if (key.endsWith("_FILE") && known.includes(key.slice(0, -5))) {
      try {
        raw[key.slice(0, -5)] = readFileSync(value, "utf8").trim();
      } catch (error) {
        wrong.push(`${name}: cannot read ${value} (${(error as NodeJS.ErrnoException).code ?? "error"})`);
      }
    } else {
      const near = nearest(key, known);
      wrong.push(`${name} is not a known setting${near ? `; did you mean ${prefix}${near}?` : ""}`);
    }
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success)
    for (const issue of parsed.error.issues) wrong.push(`${prefix}${issue.path.join(".")}: ${issue.message}`);
  if (wrong.length > 0 || !parsed.success)
    throw new Fault("invalid", `the configuration is wrong:\n  ${wrong.join("\n  ")}`);
  return parsed.data;
}
