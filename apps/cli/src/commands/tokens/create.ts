import { createToken } from "@starform/contract/identity";
import { command, countOf, flagOf, word } from "../../command.ts";

export const create = command<{ readOnly: boolean; days?: number }, [string]>({
  brief: "make an API token; it is shown once",
  detail:
    "With --project it opens that project only: what a build machine should have. The token alone is on standard output.",
  flags: {
    readOnly: flagOf("it may look, not change"),
    days: countOf("days", "it ends after so many days (at most 366)"),
  },
  positional: { kind: "tuple", parameters: [word("name", "what it is for")] },
  async run(context, { readOnly, days }, name) {
    const { project, workspace } = context.flags;
    const { call } = await context.api();
    const token = await call(
      createToken,
      {
        body: {
          name,
          scope: readOnly ? "read" : "write",
          ...(project ? { project } : {}),
          ...(workspace ? { workspace } : {}),
          ...(days === undefined ? {} : { expiresInDays: days }),
        },
      },
      { idempotencyKey: crypto.randomUUID() },
    );
    context.answer(token, () => token.secret);
    if (!context.isJson) context.note("keep it now: it is not shown again");
  },
});
