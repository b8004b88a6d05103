import { revealVariable } from "@starform/contract/variables";
import { command, word } from "../../command.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

export const reveal = command<{}, [string]>({
  brief: "print the plain value of a secret (it is audited)",
  positional: { kind: "tuple", parameters: [word("NAME", "which")] },
  async run(context, _flags, name) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const answer = await api.call(revealVariable, {
      params: { ...paramsOf(target), name },
      query: queryOf(target),
    });
    context.answer(answer, () => answer.value);
  },
});
