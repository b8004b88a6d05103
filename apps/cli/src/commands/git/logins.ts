import { listGitLogins } from "@starform/contract/git-hosts";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { projectTarget } from "../../target.ts";

export const logins = command({
  brief: "the Git hosts the project signs in to",
  async run(context) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const { items } = await call(listGitLogins, { params: { project } });
    context.answer(items, () =>
      items.length === 0
        ? "the project signs in to no Git host: starform git login <host> --username <name>"
        : table(
            ["HOST", "USER", "SET BY", "SET"],
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
