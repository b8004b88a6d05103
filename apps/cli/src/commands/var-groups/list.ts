import { allItems } from "@starform/client/client";
import { listVarGroups } from "@starform/contract/variables";
import { command } from "../../command.ts";
import { table } from "../../output/table.ts";
import { projectTarget } from "../../target.ts";

export const list = command({
  brief: "the var groups of the project",
  async run(context) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const items = await allItems(call, listVarGroups, { params: { project } });
    context.answer(items, () =>
      items.length === 0
        ? "no var groups yet: starform var-groups create shared NAME=value"
        : table(
            ["GROUP", "VARIABLES", "ATTACHED TO"],
            items.map(({ name, entries, attachedTo }) => [
              name,
              entries.map((entry) => entry.name).join(", ") || "-",
              attachedTo.map(({ service, environment }) => `${service} (${environment})`).join(", ") || "-",
            ]),
          ),
    );
  },
});
