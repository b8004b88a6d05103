import { listVariables, setVariables } from "@starform/contract/variables";
import { nearest } from "@starform/std/nearest";
import { command, flagOf, word } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";
import { sayChange } from "./say-change.ts";

export const deleteVariables = command<{ skipDeploy: boolean }, string[]>({
  brief: "delete variables of the service itself",
  flags: { skipDeploy: flagOf("take effect with the next deployment only") },
  positional: { kind: "array", minimum: 1, parameter: word("NAME", "what to delete") },
  async run(context, { skipDeploy }, ...names) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const at = { params: paramsOf(target), query: queryOf(target) };
    const { items, checksum } = await api.call(listVariables, at);
    for (const name of names) refuseUnknown(name, items);
    const variables = Object.fromEntries(names.map((name) => [name, null]));
    const body = { variables, deploy: !skipDeploy };
    // What was seen is what is deleted: another's change in between is not undone unseen.
    const answer = await api.call(setVariables, { ...at, body }, { ifMatch: checksum });
    sayChange(context, target, "deleted", names, answer);
  },
});

function refuseUnknown(name: string, items: readonly { name: string; group: string | null }[]): void {
  const found = items.filter((item) => item.name === name);
  if (found.some(({ group }) => group === null)) return;
  const group = found[0]?.group;
  const near = nearest(
    name,
    items.map((item) => item.name),
  );
  throw new ExitError(
    exitCodes.failed,
    group
      ? `${name} comes from the var group ${group}: starform var-groups delete-variable ${group} ${name}`
      : `there is no variable ${name}${near ? `; did you mean ${near}?` : ""}`,
  );
}
