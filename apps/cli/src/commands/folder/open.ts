import { command } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceOf, serviceTarget } from "../../target.ts";

export default command({
  brief: "open the service in the browser",
  async run(context) {
    const api = await context.api();
    const { url, name, type } = await serviceOf(api, await serviceTarget(context, api));
    if (!url) throw new ExitError(exitCodes.failed, `${name} is a ${type}, which has no address of its own`);
    const isOpened = !context.isJson && context.host.stdout.isTerminal && (await context.host.openUrl(url));
    context.answer({ url, isOpened }, () => url);
  },
});
