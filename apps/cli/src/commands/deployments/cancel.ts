import { cancelDeployment, type Deployment } from "@starform/contract/deployments";
import { deploymentCan } from "@starform/contract/states";
import { command, optionalWord } from "../../command.ts";
import type { Api } from "../../context.ts";
import { deploymentsOf, findDeployment } from "../../deploy/find-deployment.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceTarget, type Target } from "../../target.ts";

export default command<{}, [string?]>({
  brief: "stop a deployment that has not ended",
  detail: "What ran before keeps running. Without a name: the one under way.",
  positional: { kind: "tuple", parameters: [optionalWord("deployment", "number or id")] },
  async run(context, _flags, named) {
    const api = await context.api();
    const target = () => serviceTarget(context, api);
    const { id } = named ? await findDeployment(api, target, named) : await underWay(api, await target());
    const deployment = await api.call(cancelDeployment, { params: { deployment: id } });
    context.answer(
      deployment,
      () =>
        `${deployment.service} #${deployment.number} is ${deployment.status === "cancelled" ? "cancelled" : "being cancelled"}`,
    );
  },
});

async function underWay(api: Api, target: Target): Promise<Deployment> {
  for await (const deployment of deploymentsOf(api, target, 10))
    if (deploymentCan("cancel", deployment)) return deployment;
  throw new ExitError(
    exitCodes.failed,
    `no deployment of ${target.service} is under way in ${target.environment}`,
  );
}
