import { getMe } from "@starform/contract/identity";
import { command } from "../../command.ts";
import { table } from "../../output/table.ts";

export default command({
  brief: "show who is signed in, and where",
  async run(context) {
    const { call, url } = await context.api();
    const me = await call(getMe, {});
    context.answer({ url, ...me }, () =>
      [
        `${me.user.email}${me.user.name && me.user.name !== me.user.email ? ` (${me.user.name})` : ""} at ${url}`,
        table(
          ["WORKSPACE", "ROLE"],
          me.workspaces.map(({ slug, role }) => [slug, role]),
        ),
      ].join("\n"),
    );
  },
});
