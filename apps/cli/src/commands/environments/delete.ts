import { deleteEnvironment } from "@starform/contract/projects";
import { command, word } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { projectTarget } from "../../target.ts";

export const deleteOne = command<{}, [string]>({
  brief: "delete an environment and stop what runs in it",
  positional: { kind: "tuple", parameters: [word("name", "which environment")] },
  async run(context, _flags, environment) {
    const { project } = projectTarget(context);
    if (
      !(await context.confirm(
        `Delete the environment ${environment} of ${project}, and stop what runs in it?`,
      ))
    )
      throw new ExitError(exitCodes.failed, "nothing was deleted");
    const { call } = await context.api();
    await call(deleteEnvironment, { params: { project, environment } });
    context.answer({ environment }, () => `${context.paint("green", "✓")} deleted ${environment}`);
  },
});
