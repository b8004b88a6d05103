import type { Variable } from "@starform/contract/variables";
import { dotenvLine } from "./dotenv.ts";

/** What is to become of variables, not saved yet; `null` deletes. */
export type Edit = { readonly value: string; readonly isSecret: boolean } | null;
export type Edits = Readonly<Record<string, Edit>>;
type Known = Pick<Variable, "name" | "isSecret" | "value">;

/** The value that a change which was sent gave a variable; undefined where it gave none. */
export const valueGiven = (sent: Edit | string | undefined): string | undefined =>
  typeof sent === "string" ? sent : sent?.value;

/** The edits with one more; what leads back to the saved state is no edit. */
export function withEdit(edits: Edits, saved: readonly Known[], name: string, edit: Edit): Edits {
  const { [name]: _, ...rest } = edits;
  const before = saved.find((variable) => variable.name === name);
  if (edit === null) return before ? { ...rest, [name]: null } : rest;
  const isSame = before && !before.isSecret && !edit.isSecret && before.value === edit.value;
  return isSame ? rest : { ...rest, [name]: edit };
}

/** The variables as a `.env` text. Secrets cannot be read, so they stand there as comments. */
export const toDotenv = (saved: readonly Known[], edits: Edits): string => {
  const names = [...new Set([...saved.map(({ name }) => name), ...Object.keys(edits)])];
  const lines = names.flatMap((name) => {
    const before = saved.find((variable) => variable.name === name);
    const edit = edits[name];
    if (edit === null) return [];
    if (edit ? edit.isSecret : before?.isSecret) return [`# ${name} is a secret and stays as it is`];
    return [dotenvLine(name, edit ? edit.value : (before?.value ?? ""))];
  });
  return lines.map((line) => `${line}\n`).join("");
};

/** The edits that lead from what is saved to what the text says. A secret that is not named in it stays. */
export function editsFrom(
  saved: readonly Known[],
  edits: Edits,
  entries: ReadonlyMap<string, string>,
): Edits {
  let next: Edits = Object.fromEntries(Object.entries(edits).filter(([, edit]) => edit?.isSecret));
  for (const { name, isSecret } of saved)
    if (!isSecret && !entries.has(name)) next = withEdit(next, saved, name, null);
  for (const [name, value] of entries) {
    const isSecret =
      edits[name]?.isSecret ?? saved.find((variable) => variable.name === name)?.isSecret ?? false;
    next = withEdit(next, saved, name, { value, isSecret });
  }
  return next;
}
