import { command, optionalWord } from "../../command.ts";
import { findDeployment } from "../../deploy/find-deployment.ts";
import { watchDeployment } from "../../deploy/watch-deployment.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { serviceOf, serviceTarget } from "../../target.ts";

export const watch = command<{}, [string?]>({
  brief: "wait for a deployment; the exit code is its outcome",
  positional: { kind: "tuple", parameters: [optionalWord("deployment", "number or id (the latest)")] },
  async run(context, _flags, named) {
    const api = await context.api();
    if (named) {
      const deployment = await findDeployment(api, () => serviceTarget(context, api), named);
      const { projectId: project, serviceId: service, environment } = deployment;
      return watchDeployment(context, api, { project, service, environment }, deployment);
    }
    const target = await serviceTarget(context, api);
    const latest = (await serviceOf(api, target)).latestDeployment;
    if (!latest)
      throw new ExitError(exitCodes.failed, `${target.service} has not been deployed yet: starform up`);
    return watchDeployment(context, api, target, await findDeployment(api, target, latest.id));
  },
});
