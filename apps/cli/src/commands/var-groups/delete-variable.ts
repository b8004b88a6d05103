import { setVarGroup } from "@starform/contract/variables";
import { command, word } from "../../command.ts";
import { sayRedeployed } from "../../output/say-redeployed.ts";
import { projectTarget } from "../../target.ts";

export const deleteVariable = command<{}, [string, string]>({
  brief: "delete a variable of a group",
  positional: {
    kind: "tuple",
    parameters: [word("group", "the group's name"), word("NAME", "which variable")],
  },
  async run(context, _flags, group, name) {
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const answer = await call(setVarGroup, {
      params: { project, group },
      body: { variables: { [name]: null } },
    });
    context.answer(answer, () =>
      [
        `${context.paint("green", "✓")} deleted ${name} of ${answer.name}`,
        ...sayRedeployed(answer.redeployed),
      ].join("\n"),
    );
  },
});
