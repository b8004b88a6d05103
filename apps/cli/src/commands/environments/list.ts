import { allItems } from "@starform/client/client";
import { listEnvironments } from "@starform/contract/projects";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { projectTarget } from "../../target.ts";

export const list = command({
  brief: "the environments of the project",
  async run(context) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const items = await allItems(call, listEnvironments, { params: { project } });
    context.answer(items, () =>
      table(
        ["ENVIRONMENT", "PROTECTED", "MADE"],
        items.map(({ name, isProtected, createdAt }) => [
          name,
          isProtected ? "yes" : "no",
          sayAgo(createdAt, context.host.now()),
        ]),
      ),
    );
  },
});
