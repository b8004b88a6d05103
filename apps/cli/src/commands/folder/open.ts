import { command, optionalWord } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceOf, serviceTarget } from "../../target.ts";

export default command<{}, [string?]>({
  brief: "open the service in the browser",
  positional: { kind: "tuple", parameters: [optionalWord("service", "which service (the linked one)")] },
  async run(context, _flags, named) {
    const api = await context.api();
    const { url, name, type } = await serviceOf(api, await serviceTarget(context, api, named));
    if (!url) throw new ExitError(exitCodes.failed, `${name} is a ${type}, which has no address of its own`);
    const isOpened = !context.isJson && context.host.stdout.isTerminal && (await context.host.openUrl(url));
    context.answer({ url, isOpened }, () => url);
  },
});
