import type { getProvenance, getSbom } from "@starform/contract/builds";
import { isFault } from "@starform/std/fault";
import { command, word } from "../../command.ts";
import type { Api, Context } from "../../context.ts";
import { findDeployment } from "../../deploy/find-deployment.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceTarget } from "../../target.ts";

/** Prints a document of a build as it was made: without its line end, the bytes are those that its digest is of. */
export const documentCommand = (route: typeof getSbom | typeof getProvenance, brief: string) =>
  command<{}, [string]>({
    brief,
    positional: {
      kind: "tuple",
      parameters: [word("deployment", "number or id of a deployment, or id of a build")],
    },
    async run(context, _flags, named) {
      const api = await context.api();
      const build = await buildOf(context, api, named);
      const document = await api.call(route, { params: { build } });
      context.answer(document, () => JSON.stringify(document));
    },
  });

async function buildOf(context: Context, api: Api, named: string): Promise<string> {
  try {
    const deployment = await findDeployment(api, () => serviceTarget(context, api), named);
    if (deployment.buildId) return deployment.buildId;
  } catch (error) {
    if (isFault(error, "not_found")) return named;
    throw error;
  }
  throw new ExitError(
    exitCodes.failed,
    `nothing was built for deployment ${named}: its image came ready-made`,
  );
}
