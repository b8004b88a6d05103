import { deleteGitLogin } from "@starform/contract/git-hosts";
import { command, word } from "../../command.ts";
import { projectTarget } from "../../target.ts";

export const logout = command<{}, [string]>({
  brief: "forget the project's sign-in to a Git host",
  positional: { kind: "tuple", parameters: [word("host", "the Git host")] },
  async run(context, _flags, host) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    await call(deleteGitLogin, { params: { project, host } });
    context.answer(
      { host },
      () => `${context.paint("green", "✓")} ${project} does not sign in to ${host} any more`,
    );
  },
});
