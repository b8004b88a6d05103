import { listVariables } from "@starform/contract/variables";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

export const list = command({
  brief: "what a service gets; secrets are hidden",
  async run(context) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const { items } = await api.call(listVariables, { params: paramsOf(target), query: queryOf(target) });
    const { paint, host } = context;
    context.answer(items, () =>
      items.length === 0
        ? `${target.service} has no variables in ${target.environment}: starform variables set NAME=value`
        : table(
            ["NAME", "VALUE", "FROM", "CHANGED"],
            items.map(({ name, value, resolved, isSecret, group, updatedAt }) => [
              name,
              isSecret
                ? paint("dim", "(secret)")
                : oneLine(value ?? "") +
                  (resolved !== null && resolved !== value ? paint("dim", ` = ${oneLine(resolved)}`) : ""),
              group ?? "service",
              sayAgo(updatedAt, host.now()),
            ]),
          ),
    );
  },
});

const oneLine = (value: string): string => {
  const line = value.replaceAll("\n", "\\n");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
};
