import { attachVarGroup, detachVarGroup } from "@starform/contract/variables";
import { command, countOf, word } from "../../command.ts";
import { sayRedeployed } from "../../output/say-redeployed.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

const group = { kind: "tuple", parameters: [word("group", "the group's name")] } as const;

export const attach = command<{ order?: number }, [string]>({
  brief: "give a group to a service in an environment",
  flags: { order: countOf("order", "where two groups have one name, the higher order wins (0)") },
  positional: group,
  async run(context, { order }, name) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const answer = await api.call(attachVarGroup, {
      params: { ...paramsOf(target), group: name },
      query: queryOf(target),
      body: order === undefined ? {} : { attachOrder: order },
    });
    context.answer(answer, () =>
      [
        `${context.paint("green", "✓")} ${target.service} has ${name} in ${target.environment}`,
        ...sayRedeployed(answer.redeployed),
      ].join("\n"),
    );
  },
});

export const detach = command<{}, [string]>({
  brief: "take a group from a service in an environment",
  positional: group,
  async run(context, _flags, name) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    await api.call(detachVarGroup, { params: { ...paramsOf(target), group: name }, query: queryOf(target) });
    context.answer(
      { group: name, ...target },
      () => `${context.paint("green", "✓")} ${target.service} has ${name} no more in ${target.environment}`,
    );
  },
});
