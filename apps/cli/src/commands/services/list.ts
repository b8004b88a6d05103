import { allItems } from "@starform/client/client";
import { listServices } from "@starform/contract/services";
import { command } from "../../command.ts";
import { table } from "../../output/table.ts";
import { projectTarget, queryOf } from "../../target.ts";

export const list = command({
  brief: "the services of the project",
  async run(context) {
    const target = projectTarget(context);
    const { call } = await context.api();
    const items = await allItems(call, listServices, {
      params: { project: target.project },
      query: queryOf(target),
    });
    context.answer(items, () =>
      items.length === 0
        ? `${target.project} has no services yet: starform up`
        : table(
            ["SERVICE", "TYPE", "SOURCE", "TIER", "REPLICAS", "STATE", "URL"],
            items.map(({ name, type, source, settings, health, url }) => [
              name,
              type,
              source.kind === "git" ? source.url : source.kind === "image" ? source.image : "push or up",
              settings.tier,
              String(settings.replicas),
              health.phase.replaceAll("_", " "),
              url ?? "-",
            ]),
          ),
    );
  },
});
