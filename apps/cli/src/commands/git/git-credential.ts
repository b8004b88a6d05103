import { command, optionalWord, valueOf } from "../../command.ts";

/** Git's credential helper protocol: on `get` the name and the token go to standard output, which Git alone reads. */
export default command<{ url?: string }, [string?]>({
  brief: "answer Git's credential helper protocol",
  flags: { url: valueOf("url", "the platform whose token is wanted") },
  positional: { kind: "tuple", parameters: [optionalWord("operation", "get, store or erase")] },
  async run(context, { url }, operation = "get") {
    await context.host.readInput();
    // What Git wants stored or erased is ours to keep: only login and logout change it.
    if (operation !== "get") return;
    const at = url ?? context.url();
    const token = context.tokenFor(at);
    if (!token)
      return context.note(`you are not signed in to ${at}: starform login ${at} (or set STARFORM_TOKEN)`);
    context.host.stdout.write(`username=starform\npassword=${token}\n`);
  },
});
