import { deleteVarGroup } from "@starform/contract/variables";
import { command, word } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { projectTarget } from "../../target.ts";

export const deleteGroup = command<{}, [string]>({
  brief: "delete a var group that no service uses any more",
  positional: { kind: "tuple", parameters: [word("group", "the group's name")] },
  async run(context, _flags, group) {
    const { project } = projectTarget(context);
    if (!(await context.confirm(`Delete the var group ${group} of ${project}?`)))
      throw new ExitError(exitCodes.failed, "nothing was deleted");
    const { call } = await context.api();
    await call(deleteVarGroup, { params: { project, group } });
    context.answer({ group }, () => `${context.paint("green", "✓")} deleted ${group}`);
  },
});
