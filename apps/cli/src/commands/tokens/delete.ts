import { allItems } from "@starform/client/client";
import { deleteToken, listTokens } from "@starform/contract/identity";
import { command, word } from "../../command.ts";
import { exitCodes, ExitError, usageError } from "../../exit-error.ts";

export const deleteOne = command<{}, [string]>({
  brief: "revoke a token at once",
  positional: { kind: "tuple", parameters: [word("token", "name, id or first characters")] },
  async run(context, _flags, named) {
    const { call } = await context.api();
    const items = await allItems(call, listTokens, {});
    const found = items.filter(({ id, name, prefix }) => id === named || name === named || prefix === named);
    if (found.length === 0)
      throw new ExitError(exitCodes.failed, `you have no token "${named}": starform tokens lists them`);
    if (found.length > 1)
      throw usageError(`${found.length} tokens are named "${named}": say which by its id (starform tokens)`);
    await call(deleteToken, { params: { token: found[0]!.id } });
    context.answer(
      { id: found[0]!.id, name: found[0]!.name },
      () => `${context.paint("green", "✓")} revoked ${found[0]!.name}`,
    );
  },
});
