import { setVarGroup } from "@starform/contract/variables";
import { command, word } from "../../command.ts";
import { sayRedeployed } from "../../output/say-redeployed.ts";
import { projectTarget } from "../../target.ts";
import { readEntries, type EntryFlags } from "../variables/read-entries.ts";
import { entryFlags } from "./entry-flags.ts";

export const set = command<EntryFlags, [string, ...string[]]>({
  brief: "set variables of a group; services that have it get them at once",
  flags: entryFlags,
  positional: {
    kind: "array",
    minimum: 1,
    parameter: word("group, then NAME=value", "the group's name, then what to set"),
  } as never,
  async run(context, flags, group, ...words) {
    const { project } = projectTarget(context);
    const variables = await readEntries(context, flags, words);
    const { call } = await context.api();
    const answer = await call(setVarGroup, { params: { project, group }, body: { variables } });
    context.answer(answer, () =>
      [
        `${context.paint("green", "✓")} set ${Object.keys(variables).join(", ")} in ${answer.name}`,
        ...sayRedeployed(answer.redeployed),
        ...answer.notes,
      ].join("\n"),
    );
  },
});
