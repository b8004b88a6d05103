import { createRegistryPassword } from "@starform/contract/registries";
import { command, countOf, flagOf } from "../../command.ts";
import { projectTarget } from "../../target.ts";

export const password = command<{ push: boolean; hours?: number }>({
  brief: "a password for docker login at the platform's own registry",
  detail:
    "It opens the project's images there and ends by itself. The password alone is on standard output: starform registries password --push | docker login <host> -u <project> --password-stdin",
  flags: {
    push: flagOf("it may push as well as pull"),
    hours: countOf("hours", "how long it is good for (1, at most 8760)"),
  },
  async run(context, { push, hours = 1 }) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const made = await call(createRegistryPassword, {
      params: { project },
      body: { access: push ? "push" : "pull", expiresInSeconds: hours * 3_600 },
    });
    context.answer(made, () => made.password);
    if (context.isJson) return;
    context.note(`docker login ${made.host} --username ${made.username} --password-stdin`);
    context.note(`images are named ${made.prefix}/<id of the service>:<tag>; good until ${made.expiresAt}`);
  },
});
