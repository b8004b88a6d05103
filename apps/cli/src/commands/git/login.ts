import { putGitLogin } from "@starform/contract/git-hosts";
import { command, flagOf, valueOf, word } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { passwordFrom } from "../../prompt/password-from.ts";
import { projectTarget } from "../../target.ts";

export const login = command<{ username?: string; passwordStdin: boolean }, [string]>({
  brief: "sign the project in to a Git host, to fetch private repositories from",
  detail:
    "It is used when a service's repository lies there. Give a token that may only read. It is asked for where there is a terminal, and never taken as a word.",
  flags: {
    username: valueOf("name", "whom to sign in as"),
    passwordStdin: flagOf("read the password or token from standard input"),
  },
  aliases: { u: "username" },
  positional: { kind: "tuple", parameters: [word("host", "as addresses name it: github.com")] },
  async run(context, flags, host) {
    const { username } = flags;
    if (!username) throw usageError("say whom to sign in as: --username <name>");
    const password = await passwordFrom(
      context,
      flags.passwordStdin,
      `Password or token of ${username} at ${host}: `,
    );
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const kept = await call(putGitLogin, { params: { project, host }, body: { username, password } });
    context.answer(
      kept,
      () => `${context.paint("green", "✓")} ${project} signs in to ${kept.host} as ${kept.username}`,
    );
  },
});
