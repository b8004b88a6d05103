import { PlanRefusal } from "./plan-refusal.ts";

/** Throws PlanRefusal where a text of the value, or a key, is one that no program, file or log can be given. */
export function refuseUnwritable(value: unknown): void {
  const found = unwritableIn(value);
  if (found !== undefined)
    throw new PlanRefusal(
      `${found} holds a NUL or half a character, which no command, file or variable can`,
      {
        hint: "Remove it from the file of the source that says so, commit it, and deploy again.",
      },
    );
}

/** The first text of a value that holds NUL or half of a character (JSON's escapes can say both), shown without them. */
export function unwritableIn(value: unknown): string | undefined {
  let found: string | undefined;
  const look = (text: string): void => {
    if (found === undefined && (text.includes("\0") || !text.isWellFormed())) found = text;
  };
  JSON.stringify(value, (key, one: unknown) => {
    look(key);
    if (typeof one === "string") look(one);
    return one;
  });
  return found === undefined ? undefined : `"${writable(found).slice(0, 80)}"`;
}

export const writable = (text: string): string => text.replaceAll("\0", "\ufffd").toWellFormed();
