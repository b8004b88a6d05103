import { putRegistry } from "@starform/contract/registries";
import { command, flagOf, valueOf, word } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { passwordFrom } from "../../prompt/password-from.ts";
import { projectTarget } from "../../target.ts";

export const add = command<{ username?: string; passwordStdin: boolean }, [string]>({
  brief: "sign the project in to a private registry, in place of an earlier sign-in",
  detail:
    "It is used when an image of that registry is deployed, in every environment. Give a password that may only read. It is asked for where there is a terminal, and never taken as a word: other users of the machine see those.",
  flags: {
    username: valueOf("name", "whom to sign in as"),
    passwordStdin: flagOf("read the password from standard input"),
  },
  aliases: { u: "username" },
  positional: { kind: "tuple", parameters: [word("host", "as image names begin: ghcr.io, docker.io")] },
  async run(context, flags, host) {
    if (!flags.username) throw usageError("say whom to sign in as: --username <name>");
    const password = await passwordFrom(
      context,
      flags.passwordStdin,
      `Password of ${flags.username} at ${host}: `,
    );
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const kept = await call(putRegistry, {
      params: { project, host },
      body: { username: flags.username, password },
    });
    context.answer(
      kept,
      () => `${context.paint("green", "✓")} ${project} signs in to ${kept.host} as ${kept.username}`,
    );
  },
});
