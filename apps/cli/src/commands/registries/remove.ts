import { deleteRegistry } from "@starform/contract/registries";
import { command, word } from "../../command.ts";
import { projectTarget } from "../../target.ts";

export const remove = command<{}, [string]>({
  brief: "forget the sign-in to a registry; what runs keeps running",
  positional: { kind: "tuple", parameters: [word("host", "the registry")] },
  async run(context, _flags, host) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    await call(deleteRegistry, { params: { project, host } });
    context.answer(
      { host },
      () => `${context.paint("green", "✓")} ${project} does not sign in to ${host} any more`,
    );
  },
});
