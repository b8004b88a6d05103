import type { Context } from "../context.ts";
import { usageError } from "../exit-error.ts";

/** Standard input, or a question to the person; the line break at its end is not part of it. */
export async function passwordFrom(context: Context, isPiped: boolean, question: string): Promise<string> {
  if (!isPiped && !context.host.isInputTerminal)
    throw usageError("there is no terminal to ask for the password at: pipe it in with --password-stdin");
  const text = isPiped
    ? await context.host.readInput()
    : await context.host.ask(question, { isSecret: true });
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw usageError("the password is empty");
  return password;
}
