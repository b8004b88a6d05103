import { setVariables } from "@starform/contract/variables";
import { command, flagOf, valueOf, word } from "../../command.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";
import { readEntries, type EntryFlags } from "./read-entries.ts";
import { sayChange } from "./say-change.ts";

export const set = command<EntryFlags & { skipDeploy: boolean }, string[]>({
  brief: "set variables; what runs gets them at once",
  detail:
    "A value may refer to others: ${{NAME}}, ${{service.NAME}}, ${{shared.NAME}} (quote it from the shell). --stdin keeps a secret out of the shell's history.",
  flags: {
    secret: flagOf("hide the values from now on"),
    stdin: flagOf("read the value of the named variable (or a whole .env) from standard input"),
    fromFile: valueOf("file", "read a .env file"),
    skipDeploy: flagOf("take effect with the next deployment only"),
  },
  positional: { kind: "array", parameter: word("NAME=value", "what to set") },
  async run(context, flags, ...words) {
    const variables = await readEntries(context, flags, words);
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const answer = await api.call(setVariables, {
      params: paramsOf(target),
      query: queryOf(target),
      body: { variables, deploy: !flags.skipDeploy },
    });
    sayChange(context, target, "set", Object.keys(variables), answer);
  },
});
