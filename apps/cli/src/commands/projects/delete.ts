import { deleteProject, getProject } from "@starform/contract/projects";
import { command, word } from "../../command.ts";
import { exitCodes, ExitError, usageError } from "../../exit-error.ts";
import { projectTarget } from "../../target.ts";

export const deleteOne = command<{}, [string]>({
  brief: "delete a project with everything in it",
  detail: "On a terminal the project's name has to be typed again; --yes stands for that.",
  positional: { kind: "tuple", parameters: [word("project", "which project")] },
  async run(context, _flags, named) {
    const params = { project: projectTarget(context, named).project };
    const { call } = await context.api();
    const { slug } = await call(getProject, { params });
    if (!context.flags.yes) {
      if (!context.host.isInputTerminal)
        throw usageError(
          `deleting ${slug} deletes everything in it. There is no terminal to ask at: add --yes.`,
        );
      const typed = await context.host.ask(
        `This deletes ${slug} with every service, deployment and variable. Type its name to go on: `,
      );
      if (typed !== slug) throw new ExitError(exitCodes.failed, "nothing was deleted");
    }
    await call(deleteProject, { params, query: { confirm: slug } });
    context.answer({ slug }, () => `${context.paint("green", "✓")} deleted ${slug}`);
  },
});
