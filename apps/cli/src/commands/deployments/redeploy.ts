import { command, flagOf, valueOf } from "../../command.ts";
import { startDeployment } from "../../deploy/send-source.ts";
import { serviceTarget } from "../../target.ts";
import { watchOrLeave } from "./watch-or-leave.ts";

type Flags = { ref?: string; image?: string; noCache: boolean; detach: boolean };

export const redeploy = command<Flags>({
  brief: "deploy the last source, a branch or an image again",
  detail: "Without a flag: what was deployed last, with today's variables and settings.",
  flags: {
    ref: valueOf("ref", "a branch, a tag or a commit of the service's repository"),
    image: valueOf("image", "a prebuilt image"),
    noCache: flagOf("build everything anew"),
    detach: flagOf("return as soon as the deployment has begun"),
  },
  aliases: { d: "detach" },
  async run(context, { ref, image, noCache, detach }) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const body = { noCache, ...(ref ? { ref } : {}), ...(image ? { image } : {}) };
    return watchOrLeave(context, api, target, await startDeployment(context, api, target, body), detach);
  },
});
export default redeploy;
