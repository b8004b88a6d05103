import { rollBackDeployment, type Deployment } from "@starform/contract/deployments";
import { deploymentCan } from "@starform/contract/states";
import { command, flagOf, optionalWord } from "../../command.ts";
import type { Api } from "../../context.ts";
import { deploymentsOf, findDeployment } from "../../deploy/find-deployment.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceTarget, type Target } from "../../target.ts";
import { watchOrLeave } from "./watch-or-leave.ts";

export default command<{ detach: boolean }, [string?]>({
  brief: "go back to an earlier deployment, without a build",
  detail:
    "Re-applies the receipt of a deployment: image, config and variables as they were. Without a name: the one that was live before the present one.",
  flags: { detach: flagOf("return as soon as it has begun") },
  aliases: { d: "detach" },
  positional: { kind: "tuple", parameters: [optionalWord("deployment", "number or id")] },
  async run(context, { detach }, named) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const to = named ? await findDeployment(api, target, named) : await previous(api, target);
    const deployment = await api.call(
      rollBackDeployment,
      { params: { deployment: to.id } },
      { idempotencyKey: crypto.randomUUID() },
    );
    if (!context.isJson) context.note(`going back to #${to.number}`);
    return watchOrLeave(context, api, target, deployment, detach);
  },
});

/** What was live before what is live now; a rollback stands for what it went back to. */
async function previous(api: Api, target: Target): Promise<Deployment> {
  let active: Deployment | undefined;
  for await (const deployment of deploymentsOf(api, target)) {
    if (deployment.isActive) active = deployment;
    else if (active && deploymentCan("roll_back_to", deployment) && deployment.id !== active.rollbackOf)
      return deployment;
  }
  throw new ExitError(
    exitCodes.failed,
    active
      ? `#${active.number} is the first that was live: there is nothing to go back to`
      : `nothing of ${target.service} is live in ${target.environment}: name the deployment to go to (starform deployments lists them)`,
  );
}
