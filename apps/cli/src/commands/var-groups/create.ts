import { createVarGroup } from "@starform/contract/variables";
import { command, word } from "../../command.ts";
import { projectTarget } from "../../target.ts";
import { readEntries, type EntryFlags } from "../variables/read-entries.ts";
import { entryFlags } from "./entry-flags.ts";

export const create = command<EntryFlags, [string, ...string[]]>({
  brief: "make a var group",
  detail: "The group named shared is what ${{shared.NAME}} refers to.",
  flags: entryFlags,
  positional: {
    kind: "array",
    minimum: 1,
    parameter: word("name, then NAME=value", "the group's name, then its variables"),
  } as never,
  async run(context, flags, name, ...words) {
    const { project } = projectTarget(context);
    const isEmpty = words.length === 0 && !flags.stdin && !flags.fromFile;
    const variables = isEmpty ? {} : await readEntries(context, flags, words);
    const { call } = await context.api();
    const group = await call(
      createVarGroup,
      { params: { project }, body: { name, variables } },
      { idempotencyKey: crypto.randomUUID() },
    );
    context.answer(group, () =>
      [
        `${context.paint("green", "✓")} made ${name}; give it to a service: starform var-groups attach ${name}`,
        ...group.notes,
      ].join("\n"),
    );
  },
});
