import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { VariableName } from "@starform/contract/names";
import { VariableValue } from "@starform/contract/variables";
import type { Context } from "../../context.ts";
import { usageError } from "../../exit-error.ts";
import { readDotenv } from "../../source/read-dotenv.ts";

export type EntryFlags = { secret: boolean; stdin: boolean; fromFile?: string };
export type Entries = Record<string, string | { value: string; isSecret: boolean }>;

/** The variables a person gave: words `NAME=value`, one value or a whole file on standard input, a `.env` file. */
export async function readEntries(
  context: Context,
  flags: EntryFlags,
  words: readonly string[],
): Promise<Entries> {
  const values: Record<string, string> = {};
  if (flags.fromFile) Object.assign(values, readDotenv(await read(context, flags.fromFile), flags.fromFile));
  const bare = words.filter((text) => !text.includes("="));
  if (flags.stdin) {
    const text = await context.host.readInput();
    if (bare.length > 1) throw usageError("--stdin is the value of one variable: name one");
    // The line break that echo and editors put at the end belongs to the text, not to the value.
    if (bare.length === 1) values[bare[0]!] = text.replace(/\r?\n$/, "");
    else Object.assign(values, readDotenv(text, "standard input"));
  } else if (bare.length > 0)
    throw usageError(`"${bare[0]}" has no value: write ${bare[0]}=value, or pipe it in with --stdin`);
  for (const text of words.filter((word) => word.includes("="))) {
    const at = text.indexOf("=");
    values[text.slice(0, at)] = text.slice(at + 1);
  }
  if (Object.keys(values).length === 0)
    throw usageError("name at least one variable: NAME=value, --from-file .env or --stdin");
  for (const [name, value] of Object.entries(values)) refuseUnusable(name, value);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, flags.secret ? { value, isSecret: true } : value]),
  );
}

/** Told here, by name: what the platform would refuse among many at once is harder to find. The value stays unsaid. */
function refuseUnusable(name: string, value: string): void {
  const issue =
    VariableName.safeParse(name).error?.issues[0] ?? VariableValue.safeParse(value).error?.issues[0];
  if (issue) throw usageError(`"${name}": ${issue.message}`);
}

const read = (context: Context, path: string): Promise<string> =>
  readFile(resolve(context.host.cwd, path), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path} cannot be read (${error.code})`);
  });
