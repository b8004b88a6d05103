import { createEnvironment } from "@starform/contract/projects";
import { command, flagOf, valueOf, word } from "../../command.ts";
import { projectTarget } from "../../target.ts";

export const create = command<{ from?: string; protected: boolean }, [string]>({
  brief: "make an environment",
  flags: {
    from: valueOf("environment", "copy the settings and variables of this one"),
    protected: flagOf("only project admins may deploy to it"),
  },
  positional: { kind: "tuple", parameters: [word("name", "the environment's name")] },
  async run(context, flags, name) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const environment = await call(
      createEnvironment,
      {
        params: { project },
        body: { name, isProtected: flags.protected, ...(flags.from ? { from: flags.from } : {}) },
      },
      { idempotencyKey: crypto.randomUUID() },
    );
    context.answer(
      environment,
      () => `${context.paint("green", "✓")} made ${name}; deploy to it: starform up -e ${name}`,
    );
  },
});
