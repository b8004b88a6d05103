import { listRegistries } from "@starform/contract/registries";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { projectTarget } from "../../target.ts";

export const list = command({
  brief: "the registries the project signs in to",
  async run(context) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const { items } = await call(listRegistries, { params: { project } });
    context.answer(items, () =>
      items.length === 0
        ? "the project signs in to no registry: starform registries add <host> --username <name> --password-stdin"
        : table(
            ["REGISTRY", "USER", "SET BY", "SET"],
            items.map(({ host, username, createdBy, createdAt }) => [
              host,
              username,
              createdBy,
              sayAgo(createdAt, context.host.now()),
            ]),
          ),
    );
  },
});
