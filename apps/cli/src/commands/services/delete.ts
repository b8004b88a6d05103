import { deleteService } from "@starform/contract/services";
import { command, word } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { projectTarget, serviceOf } from "../../target.ts";

export const deleteOne = command<{}, [string]>({
  brief: "delete a service in every environment",
  positional: { kind: "tuple", parameters: [word("name", "which service")] },
  async run(context, _flags, name) {
    const at = projectTarget(context);
    const api = await context.api();
    const service = await serviceOf(api, { ...at, service: name });
    if (
      !(await context.confirm(
        `Delete ${service.name} of ${service.projectSlug} in every environment, with its deployments and variables?`,
      ))
    )
      throw new ExitError(exitCodes.failed, "nothing was deleted");
    await api.call(deleteService, { params: { project: at.project, service: service.id } });
    context.answer(
      { id: service.id, name: service.name },
      () => `${context.paint("green", "✓")} deleted ${service.name}`,
    );
  },
});
